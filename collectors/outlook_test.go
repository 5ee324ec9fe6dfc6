package collectors

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// history is fullness every half hour, as a function of the hours gone by.
func history(hours float64, full func(float64) float64) []Moment {
	var list []Moment
	for h := 0.0; h <= hours; h += 0.5 {
		v := full(h)
		list = append(list, Moment{At: time.Unix(1.8e9, 0).Add(time.Duration(h * float64(time.Hour))), Value: v})
	}
	return list
}

func TestForesee(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	noise := func(size float64) float64 { return (chance.Float64() - 0.5) * 2 * size }
	cases := map[string]struct {
		points []Moment
		want   Outlook
		left   float64 // hours from the last point; ±5 %
	}{
		"nothing":                     {nil, TooLittle, 0},
		"five hours":                  {history(5, func(h float64) float64 { return 50 + h }), TooLittle, 0},
		"flat":                        {history(168, func(float64) float64 { return 41 }), Steady, 0},
		"a clear line":                {history(168, func(h float64) float64 { return 50 + h/8 }), Filling, (100 - 50 - 168.0/8) * 8},
		"a line of six hours":         {history(6, func(h float64) float64 { return 90 + h }), Filling, 4},
		"a line with noise":           {history(168, func(h float64) float64 { return 50 + h/8 + noise(0.4) }), Filling, (100 - 50 - 168.0/8) * 8},
		"noise alone":                 {history(168, func(float64) float64 { return 70 + noise(1.5) }), Steady, 0},
		"a daily wave":                {history(168, func(h float64) float64 { return 60 + 5*math.Sin(h*math.Pi/12) }), Steady, 0},
		"one step":                    {history(168, func(h float64) float64 { return 40 + 20*float64(oneIf(h > 80)) }), Steady, 0},
		"rotation every day":          {history(168, func(h float64) float64 { return 40 + math.Mod(h, 24) }), Steady, 0},
		"emptying":                    {history(168, func(h float64) float64 { return 80 - h/8 }), Steady, 0},
		"very slow":                   {history(168, func(h float64) float64 { return 50 + h/400 }), Steady, 0},
		"a clean-up, then as before":  {history(168, func(h float64) float64 { return 60 + h/6 - 18*float64(oneIf(h > 100)) }), Filling, (100 - (60 + 168.0/6 - 18)) * 6},
		"a clean-up an hour ago":      {history(168, func(h float64) float64 { return 60 + h/6 - 18*float64(oneIf(h > 167)) }), TooLittle, 0},
		"outliers":                    {history(168, func(h float64) float64 { return 50 + h/8 + 1.9*float64(oneIf(math.Mod(h, 20) == 10)) }), Filling, (100 - 50 - 168.0/8) * 8},
		"full already, still growing": {history(24, func(h float64) float64 { return math.Min(80+h, 100) }), Filling, 0},
	}
	for name, c := range cases {
		got := Foresee(c.points)
		if got.Outlook != c.want {
			t.Errorf("%s: outlook %d, want %d", name, got.Outlook, c.want)
			continue
		}
		if c.want != Filling {
			continue
		}
		left := got.Full.Sub(c.points[len(c.points)-1].At).Hours()
		if math.Abs(left-c.left) > 0.05*c.left+0.01 {
			t.Errorf("%s: full in %.1f h, want %.1f", name, left, c.left)
		}
	}
}

func BenchmarkForesee(b *testing.B) {
	points := history(168, func(h float64) float64 { return 50 + h/8 })
	for b.Loop() {
		Foresee(points)
	}
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
