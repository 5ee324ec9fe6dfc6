package e2e

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// TestMosCommand rates a call with the real program: JSON and nothing else, and exit code 2 for a wrong flag.
func TestMosCommand(t *testing.T) {
	code, output := runOnce(t, "mos", "--model", "nb", "--ie", "11", "--bpl", "19", "--loss", "2", "--delay", "150", "--json")
	var got struct {
		R, MOS      float64
		Attribution map[string]float64
	}
	if err := json.Unmarshal([]byte(output), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, output)
	}
	if math.Abs(got.R-70.5) > 0.1 || math.Abs(got.MOS-3.62) > 0.01 || len(got.Attribution) != 4 {
		t.Errorf("%+v", got)
	}
	code, output = runOnce(t, "mos", "--set", "TELR=loud")
	if code != 2 || !strings.Contains(output, "permitted are 5 to 65 dB") {
		t.Errorf("exit code %d, says %q", code, output)
	}
}
