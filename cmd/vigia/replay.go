package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors"
	"vigia/collectors/capture"
	"vigia/collectors/hep"
	"vigia/collectors/voice"
)

// ReplayCmd is vigia replay: the calls of capture files, as the running monitor would have judged them.
type ReplayCmd struct {
	Config string   `short:"c" help:"A configuration: whose the calls are, and which jitter buffer is assumed. Nothing in it is started." placeholder:"FILE"`
	JSON   bool     `name:"json" help:"One JSON object a line and call, as the API gives it."`
	Files  []string `arg:"" name:"file" help:"pcap or pcapng, plain or gzip. Several are read as one, in the order of their packets' times."`
}

// Help is what vigia replay --help says besides the flags.
func (*ReplayCmd) Help() string {
	return `It reads SIP over UDP and TCP, RTCP on any port, vq-rtcpxr reports and HEP, through VLANs and tunnels. RTP is counted, not judged: the MOS is what
the ends of a call report. A call without any report has none.

Exit codes: 0 everything was read; 1 a file is no capture, is broken or ends within a packet (what came before is reported); 2 the flags are wrong.`
}

// Run reads the files and prints the calls.
func (c *ReplayCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	cfg, err := c.load(k, kc.Stderr)
	if err != nil {
		return err
	}
	r := newReplay(cfg, logger)
	show := newReadingBar(kc.Stderr)
	problem := r.files(ctx, c.Files, show)
	show.end()
	calls := r.finish()
	if err := c.print(kc.Stdout, calls); err != nil {
		return err
	}
	fmt.Fprintln(kc.Stderr, replaySummary(calls, r.decoder.Stats(), r.tracker.Stats()))
	return errors.Join(problem, r.decoder.Err())
}

func (c *ReplayCmd) load(k Kinds, stderr io.Writer) (*Config, error) {
	if c.Config == "" {
		return nil, nil //nolint:nilnil // no configuration is a valid choice
	}
	cfg, _, err := Load(c.Config, k)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return nil, refusal(c.Config, err)
	}
	return cfg, nil
}

func (c *ReplayCmd) print(w io.Writer, calls []voice.Call) error {
	if c.JSON {
		return writeCallsJSON(w, calls)
	}
	return writeCalls(w, calls, c.Config != "")
}

// replay is one run over capture files.
type replay struct {
	tracker *voice.Tracker
	decoder *capture.Decoder
	calls   map[callKey]voice.Call
	last    time.Time // greatest time of a packet
	ticked  time.Time
}

// callKey tells calls apart: a later revision replaces the earlier one.
type callKey struct {
	id    string
	start time.Time
}

func newReplay(cfg *Config, logger *slog.Logger) *replay {
	r := &replay{calls: map[callKey]voice.Call{}}
	r.tracker = voice.New(replayTracker(cfg), r, noSamples{})
	sink := fromFile{r.tracker}
	messages := hep.NewDecoder(sink, logger)
	r.decoder = capture.New(capture.Config{Via: voice.ViaReplay, Sink: sink, HEP: messages.Message})
	return r
}

// replayTracker is what a configuration says of how calls are judged.
func replayTracker(cfg *Config) voice.Config {
	if cfg == nil {
		return voice.Config{}
	}
	return voice.Config{Buffer: cfg.assumedBuffer(), Rules: cfg.callRules()}
}

// Call takes a finished call.
func (r *replay) Call(c voice.Call) { r.calls[callKey{c.ID, c.Start}] = c }

// noSamples drops the figures of trunks: a replay shows calls.
type noSamples struct{}

func (noSamples) Put([]collectors.Sample) {}

// fromFile marks facts as those of a file, HEP's too: their times are the file's, and whoever saw them may be believed.
type fromFile struct{ sink voice.Sink }

func (f fromFile) Report(v *voice.Report) {
	v.Seen.Observer.Via = voice.ViaReplay
	f.sink.Report(v)
}

func (f fromFile) Signal(v *voice.Signal) {
	v.Seen.Observer.Via = voice.ViaReplay
	f.sink.Signal(v)
}

func (f fromFile) Quality(v *voice.Quality) {
	v.Seen.Observer.Via = voice.ViaReplay
	f.sink.Quality(v)
}

// source is an open file with its next packet.
type source struct {
	path string
	file *capture.File
	next capture.Packet
}

// files reads the files as one. A file that cannot be read, or not to its end, is an error, and the others are read all the same.
func (r *replay) files(ctx context.Context, paths []string, show *readingBar) error {
	var problems []error
	var open []*source
	for _, path := range paths {
		f, err := capture.Open(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		defer f.Close() //nolint:errcheck // it was only read
		open = append(open, &source{path: path, file: f})
	}
	show.files(open)
	more := func(s *source) bool {
		var err error
		if s.next, err = s.file.Next(); err == nil {
			return true
		}
		if !errors.Is(err, io.EOF) {
			problems = append(problems, fmt.Errorf("%s: %w", s.path, err))
		}
		return false
	}
	open = slices.DeleteFunc(open, func(s *source) bool { return !more(s) })
	for n := 0; len(open) > 0; n++ {
		if n%4096 == 0 {
			if ctx.Err() != nil {
				return errors.Join(append(problems, errors.New("stopped before the end; the calls until then are shown"))...)
			}
			show.update()
		}
		first := slices.MinFunc(open, func(a, b *source) int { return a.next.At.Compare(b.next.At) })
		r.packet(&first.next)
		if !more(first) {
			open = slices.DeleteFunc(open, func(s *source) bool { return s == first })
		}
	}
	return errors.Join(problems...)
}

// packet takes a packet, and moves the tracker's clock along with the packets'.
func (r *replay) packet(p *capture.Packet) {
	if p.At.After(r.last) {
		r.last = p.At
	}
	if r.last.Sub(r.ticked) >= time.Second {
		r.tracker.Tick(r.last)
		r.ticked = r.last
	}
	r.decoder.Packet(p)
}

// afterwards is longer than the tracker waits for any sign of life, so that calls which go on when the capture ends are shown until then.
const afterwards = 5 * time.Hour

// finish ends what is still open and returns the calls in the order of their start.
func (r *replay) finish() []voice.Call {
	if !r.last.IsZero() {
		for _, wait := range [...]time.Duration{10 * time.Second, 2 * time.Minute, afterwards, afterwards + 2*time.Minute} {
			r.tracker.Tick(r.last.Add(wait))
		}
	}
	r.tracker.Close(r.last)
	out := make([]voice.Call, 0, len(r.calls))
	for _, c := range r.calls {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b voice.Call) int {
		if d := a.Start.Compare(b.Start); d != 0 {
			return d
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return out
}
