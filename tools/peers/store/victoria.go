package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"vigia/tools/peers/measure"
)

// victoria is VictoriaMetrics at work.
type victoria struct {
	cmd    *exec.Cmd
	dir    string
	at     string
	client *http.Client
}

// peerRound starts VictoriaMetrics, gives it the stream and measures.
func peerRound(o *options) (out round, err error) {
	dir, err := os.MkdirTemp("", "victoria")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	v, err := startVictoria(o.victoria, dir)
	if err != nil {
		return out, err
	}
	defer v.stop()
	start := time.Now()
	begun, err := measure.CPU(v.cmd.Process.Pid)
	if err != nil {
		return out, err
	}
	if out.samples, err = v.feed(o); err != nil {
		return out, err
	}
	if err := v.get("/internal/force_flush", nil); err != nil {
		return out, err
	}
	took := time.Since(start)
	used, err := measure.CPU(v.cmd.Process.Pid)
	if err != nil {
		return out, err
	}
	if err := v.holds(out.samples); err != nil {
		return out, err
	}
	if err := v.get("/internal/force_merge", nil); err != nil {
		return out, err
	}
	merged, err := v.settle()
	if err != nil {
		return out, err
	}
	millions := float64(out.samples) / 1e6
	data, err := octetsIn(filepath.Join(dir, "data"))
	if err != nil {
		return out, err
	}
	all, err := octetsIn(dir)
	out.cpu, out.octets = (used-begun).Seconds()/millions, float64(all)/float64(out.samples)
	out.more = fmt.Sprintf("took %.0f s; with the forced merge CPU %.3f; without its index %.3f octets", took.Seconds(), (merged-begun).Seconds()/millions, float64(data)/float64(out.samples))
	return out, err
}

func startVictoria(binary, dir string) (*victoria, error) {
	at, err := freeAddr()
	if err != nil {
		return nil, err
	}
	v := &victoria{dir: dir, at: "http://" + at, client: &http.Client{Timeout: 5 * time.Minute}}
	v.cmd = exec.Command(binary, "-storageDataPath="+dir, "-retentionPeriod=100y", "-httpListenAddr="+at, "-loggerLevel=ERROR", "-search.latencyOffset=0s", "-search.disableCache") //nolint:gosec // the binary that was named
	v.cmd.Stdout, v.cmd.Stderr = os.Stderr, os.Stderr
	if err := v.cmd.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		if err := v.get("/health", nil); err == nil {
			return v, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	v.stop()
	return nil, fmt.Errorf("nothing listens on %s", at)
}

func (v *victoria) stop() {
	v.cmd.Process.Kill() //nolint:errcheck // it may be gone already
	v.cmd.Wait()         //nolint:errcheck // killed
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (v *victoria) get(path string, to io.Writer) error {
	resp, err := v.client.Get(v.at + path)
	return answered(resp, err, to)
}

// answered takes an answer to its end, so that the connection is used again.
func answered(resp *http.Response, err error, to io.Writer) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if to == nil {
		to = io.Discard
	}
	var text bytes.Buffer
	if _, err := io.Copy(io.MultiWriter(to, &text), resp.Body); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %.200s", resp.Status, text.String())
	}
	return nil
}

// feed runs `vigia bench store --emit` and posts what it says, flush by flush.
func (v *victoria) feed(o *options) (samples int, err error) {
	f, ok := forms()[o.form]
	if !ok {
		return 0, fmt.Errorf("there is no form %q", o.form)
	}
	cmd := exec.Command(o.vigia, append(o.stream(), "--emit")...) //nolint:gosec // the binary that was named
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		if ended := cmd.Wait(); o.real == 0 {
			err = errors.Join(err, ended)
		}
	}()
	in := bufio.NewReaderSize(out, 1<<20)
	var list []sample
	var body []byte
	start := time.Now()
	for n := 1; ; n++ {
		if o.real > 0 {
			if n > int(o.real/o.flush) {
				return samples, out.Close() // which ends the one who writes
			}
			time.Sleep(time.Until(start.Add(time.Duration(n) * o.flush)))
		}
		list, err = next(in, list[:0])
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return samples, err
		}
		if len(list) == 0 {
			continue
		}
		body = f.body(body[:0], list)
		if err := v.post(f, body); err != nil {
			return samples, err
		}
		samples += len(list)
	}
}

// next reads the samples of one flush.
func next(in io.Reader, list []sample) ([]sample, error) {
	var count [4]byte
	if _, err := io.ReadFull(in, count[:]); err != nil {
		return list, err
	}
	octets := make([]byte, 20*int(binary.LittleEndian.Uint32(count[:])))
	if _, err := io.ReadFull(in, octets); err != nil {
		return list, fmt.Errorf("the stream breaks off: %v", err) //nolint:errorlint // an io.EOF here is not its end
	}
	for ; len(octets) > 0; octets = octets[20:] {
		list = append(list, sample{
			series: binary.LittleEndian.Uint32(octets), ms: int64(binary.LittleEndian.Uint64(octets[4:])),
			value: math.Float64frombits(binary.LittleEndian.Uint64(octets[12:])),
		})
	}
	return list, nil
}

func (v *victoria) post(f form, body []byte) error {
	req, err := http.NewRequest(http.MethodPost, v.at+f.path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if f.encoding != "" {
		req.Header.Set("Content-Encoding", f.encoding)
	}
	resp, err := v.client.Do(req)
	return answered(resp, err, nil)
}

// metrics reads the sum of those of its own figures that begin with a name.
func (v *victoria) metrics(name string) (sum float64, err error) {
	var text bytes.Buffer
	if err := v.get("/metrics", &text); err != nil {
		return 0, err
	}
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, name) {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]), 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// holds makes sure that it has as many samples as it was given.
func (v *victoria) holds(samples int) error {
	got, err := v.metrics(`vm_rows{type="storage/`)
	if err == nil && int(got) != samples {
		return fmt.Errorf("it holds %.0f samples of %d", got, samples)
	}
	return err
}

// settle waits until it merges no longer and takes no CPU, and returns the CPU time so far.
func (v *victoria) settle() (time.Duration, error) {
	for range 120 {
		before, err := measure.CPU(v.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		time.Sleep(2 * time.Second)
		after, err := measure.CPU(v.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		active, err := v.metrics("vm_active_merges{")
		if err != nil {
			return 0, err
		}
		if active == 0 && after-before < 100*time.Millisecond {
			return after, nil
		}
	}
	return 0, errors.New("it does not end to merge")
}
