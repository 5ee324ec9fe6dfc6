package store

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

var november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func counted(name string) collectors.Series {
	return collectors.Series{Metric: collectors.LossPct, Ref: inventory.Ref{Kind: inventory.KindLink, Name: name}}
}

func TestUnits(t *testing.T) {
	rows := func(counts ...int64) (list []logRow) {
		for i, n := range counts {
			list = append(list, logRow{id: int64(i), hour: november, count: n})
		}
		return list
	}
	later := rows(1, 1, 1, 1)
	later[2].hour, later[3].hour = november.Add(time.Hour), november.Add(time.Hour)
	for name, test := range map[string]struct {
		rows []logRow
		want []int
	}{
		"nothing":    {nil, nil},
		"one hour":   {rows(1, 2, 3), []int{3}},
		"two hours":  {later, []int{2, 2}},
		"too many":   {rows(mostInUnit-1, 1, 1), []int{2, 1}},
		"large ones": {rows(mostInUnit*2, mostInUnit*2, 1), []int{1, 1, 1}},
	} {
		var sizes []int
		for _, u := range units(test.rows, november) {
			sizes = append(sizes, len(u.rows))
		}
		if !slices.Equal(sizes, test.want) {
			t.Errorf("%s: units of %v, want %v", name, sizes, test.want)
		}
	}
}

func TestPace(t *testing.T) {
	p := newPace()
	for range 30 {
		p.took(p.size(), time.Duration(p.size())*50*time.Microsecond)
	}
	if n := p.size(); n < 110 || n > 130 {
		t.Errorf("%d pieces of 50 µs in a transaction, want 120", n)
	}
	p.took(3, time.Microsecond)
	if n := p.size(); n < 110 {
		t.Errorf("three quick pieces made it %d", n)
	}
	p.took(120, time.Second)
	if n := p.size(); n > 30 {
		t.Errorf("%d pieces after a slow transaction", n)
	}
}

func TestNewFileHasLargePages(t *testing.T) {
	db := testDatabase(t)
	for name, pool := range map[string]*sql.DB{"durable": db.durable, "relaxed": db.relaxed, "read": db.read} {
		var size int
		var mode string
		if err := pool.QueryRow(`SELECT (SELECT page_size FROM pragma_page_size), (SELECT journal_mode FROM pragma_journal_mode)`).Scan(&size, &mode); err != nil {
			t.Fatal(err)
		}
		if size != 8192 || mode != "wal" {
			t.Errorf("%s: pages of %d octets, journal %s", name, size, mode)
		}
	}
}
