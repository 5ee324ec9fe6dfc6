package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"vigia/collectors/capture"
	"vigia/collectors/voice"
)

// writeCallsJSON prints one call a line.
func writeCallsJSON(w io.Writer, calls []voice.Call) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range calls {
		if err := enc.Encode(&calls[i]); err != nil {
			return err
		}
	}
	return nil
}

// writeCalls prints a table of calls, and under each call its directions.
func writeCalls(w io.Writer, calls []voice.Call, customers bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "START\tSECONDS\tFROM\tTO\tCODEC\tMOS\tR\tSCALE\tCAUSE\tCOVERAGE\tLOSS\tJITTER\tRTT"
	if customers {
		head += "\tCUSTOMER"
	}
	fmt.Fprintln(t, head)
	for i := range calls {
		c := &calls[i]
		s := worst(c)
		row := []string{
			c.Start.UTC().Format("2006-01-02 15:04:05"), fmt.Sprintf("%.0f", max(c.End.Sub(c.Start), 0).Seconds()), cellText(string(c.From)), cellText(string(c.To)),
			cellText(string(c.Codec)), figure(c.MOS, "%.2f"), figure(c.R, "%.0f"), cellText(string(c.Scale)), cellText(strings.ReplaceAll(string(c.Cause), "_", " ")),
			figure(c.CoveragePct, "%.0f %%"), figure(s.LossPct, "%.1f %%"), figure(s.JitterMS, "%.1f ms"), figure(s.RTTMS, "%.0f ms"),
		}
		if customers {
			row = append(row, cellText(c.Customer))
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// worst is the direction that the call's score is of; an empty one when none has a score.
func worst(c *voice.Call) *voice.Stream {
	out := &voice.Stream{}
	for i := range c.Streams {
		s := &c.Streams[i]
		if s.R != nil && (out.R == nil || *s.R < *out.R) {
			out = s
		}
	}
	return out
}

// cellText is a text of a stranger in a table; a dash when there is none.
func cellText(text string) string {
	if text == "" {
		return "-"
	}
	return printable(text)
}

func figure(v *float64, format string) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, *v)
}

// replaySummary is one line about what was read and what was not.
func replaySummary(calls []voice.Call, s capture.Stats, t voice.Stats) string {
	measured := 0
	for i := range calls {
		if calls[i].MOS != nil {
			measured++
		}
	}
	parts := []string{
		fmt.Sprintf("%d calls, %d with a MOS", len(calls), measured), fmt.Sprintf("%d packets", s.Packets), fmt.Sprintf("SIP %d", s.SIP), fmt.Sprintf("RTCP %d", s.RTCP),
		fmt.Sprintf("RTP %d", s.RTP),
	}
	for _, more := range []struct {
		n    uint64
		text string
	}{
		{s.HEP, "HEP %d"},
		{t.Qualities, "reports of phones %d"},
		{s.Encrypted, "encrypted RTCP %d"},
		{s.Cut, "cut short by the capture %d"},
		{s.Unreadable, "unreadable %d"},
		{s.Malformed, "malformed %d"},
		{s.UnknownLink, "of a link type that is not read %d"},
		{t.Dropped[voice.ReasonTooShort], "calls with one report alone, left out, %d"},
	} {
		if more.n > 0 {
			parts = append(parts, fmt.Sprintf(more.text, more.n))
		}
	}
	return strings.Join(parts, "; ")
}

// readingBar is a bar on a terminal, for files that take more than a moment. Elsewhere it prints nothing.
type readingBar struct {
	w       io.Writer
	on      bool
	sources []*source
	total   int64
	shown   time.Time
}

const (
	worthABar = 16 << 20 // octets
	barWidth  = 30
)

func newReadingBar(w io.Writer) *readingBar {
	f, ok := w.(*os.File)
	if !ok {
		return &readingBar{w: w}
	}
	info, err := f.Stat()
	return &readingBar{w: w, on: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// files says what will be read.
func (p *readingBar) files(sources []*source) {
	p.sources, p.total = append([]*source(nil), sources...), 0
	for _, s := range sources {
		_, size := s.file.Progress()
		p.total += size
	}
	p.on = p.on && p.total >= worthABar
}

// update redraws the bar, five times a second at most.
func (p *readingBar) update() {
	if !p.on || time.Since(p.shown) < 200*time.Millisecond {
		return
	}
	p.shown = time.Now()
	var read int64
	packets := 0
	for _, s := range p.sources {
		n, _ := s.file.Progress()
		read += n
		packets += s.file.Packets()
	}
	fmt.Fprint(p.w, barText(read, p.total, packets))
}

func barText(read, total int64, packets int) string {
	share := min(float64(read)/float64(max(total, 1)), 1)
	full := int(share * barWidth)
	return fmt.Sprintf("\r[%s%s] %3.0f %%  %d packets ", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), share*100, packets)
}

// end wipes the bar.
func (p *readingBar) end() {
	if p.on && !p.shown.IsZero() {
		fmt.Fprintf(p.w, "\r%*s\r", barWidth+40, "")
	}
}
