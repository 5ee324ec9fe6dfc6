package web

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// history is fullness every half hour, as a function of the hours gone by.
func history(hours float64, full func(float64) float64) []point {
	var list []point
	for h := 0.0; h <= hours; h += 0.5 {
		v := full(h)
		list = append(list, point{At: time.Unix(1.8e9, 0).Add(time.Duration(h * float64(time.Hour))), Mean: v, Min: v, Max: v, Count: 1})
	}
	return list
}

func TestForesee(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	noise := func(size float64) float64 { return (chance.Float64() - 0.5) * 2 * size }
	cases := map[string]struct {
		points []point
		want   outlook
		left   float64 // hours from the last point; ±5 %
	}{
		"nothing":                     {nil, tooLittle, 0},
		"five hours":                  {history(5, func(h float64) float64 { return 50 + h }), tooLittle, 0},
		"flat":                        {history(168, func(float64) float64 { return 41 }), steady, 0},
		"a clear line":                {history(168, func(h float64) float64 { return 50 + h/8 }), filling, (100 - 50 - 168.0/8) * 8},
		"a line of six hours":         {history(6, func(h float64) float64 { return 90 + h }), filling, 4},
		"a line with noise":           {history(168, func(h float64) float64 { return 50 + h/8 + noise(0.4) }), filling, (100 - 50 - 168.0/8) * 8},
		"noise alone":                 {history(168, func(float64) float64 { return 70 + noise(1.5) }), steady, 0},
		"a daily wave":                {history(168, func(h float64) float64 { return 60 + 5*math.Sin(h*math.Pi/12) }), steady, 0},
		"one step":                    {history(168, func(h float64) float64 { return 40 + 20*float64(flag(h > 80)) }), steady, 0},
		"rotation every day":          {history(168, func(h float64) float64 { return 40 + math.Mod(h, 24) }), steady, 0},
		"emptying":                    {history(168, func(h float64) float64 { return 80 - h/8 }), steady, 0},
		"very slow":                   {history(168, func(h float64) float64 { return 50 + h/400 }), steady, 0},
		"a clean-up, then as before":  {history(168, func(h float64) float64 { return 60 + h/6 - 18*float64(flag(h > 100)) }), filling, (100 - (60 + 168.0/6 - 18)) * 6},
		"a clean-up an hour ago":      {history(168, func(h float64) float64 { return 60 + h/6 - 18*float64(flag(h > 167)) }), tooLittle, 0},
		"outliers":                    {history(168, func(h float64) float64 { return 50 + h/8 + 1.9*float64(flag(math.Mod(h, 20) == 10)) }), filling, (100 - 50 - 168.0/8) * 8},
		"full already, still growing": {history(24, func(h float64) float64 { return math.Min(80+h, 100) }), filling, 0},
	}
	for name, c := range cases {
		got := foresee(c.points)
		if got.Outlook != c.want {
			t.Errorf("%s: outlook %d, want %d", name, got.Outlook, c.want)
			continue
		}
		if c.want != filling {
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
		foresee(points)
	}
}
