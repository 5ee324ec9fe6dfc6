package store

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"vigia/store/chunk"
)

// figures are those of one series and day, as sample_rollup_1d has them.
type figures struct {
	count          int64
	low, high, sum float64
}

// daysWithFigures reads the day chunks, each with its daily figures, which are null when there are none.
func daysWithFigures(t BackupTable) (string, []BackupColumn) {
	columns := slices.Concat(t.Columns, []BackupColumn{{"figures.count", kindInt}, {"figures.min", kindFloat}, {"figures.max", kindFloat}, {"figures.sum", kindFloat}})
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		list[i] = "d." + quoted(c.Name)
	}
	return `SELECT ` + strings.Join(list, ", ") + `, r.count, r.min, r.max, r.sum FROM ` + daysTable +
		` d LEFT JOIN sample_rollup_1d r ON r.series = d.series AND r.day = d.t0`, columns
}

// figures are those that were read with a day chunk.
func (r record) figures() (f figures, ok bool) {
	f.count, ok = r["figures.count"].(int64)
	f.low, _ = r["figures.min"].(float64)
	f.high, _ = r["figures.max"].(float64)
	f.sum, _ = r["figures.sum"].(float64)
	return f, ok
}

// differs says how the samples of a day differ from its figures. There may be fewer: a damaged chunk gives way to samples that come late,
// and the figures stay those of the whole day.
func (f figures) differs(points []chunk.Point) string {
	is := figures{count: int64(len(points)), low: math.Inf(1), high: math.Inf(-1)}
	for _, p := range points {
		is.low, is.high, is.sum = min(is.low, p.Value), max(is.high, p.Value), is.sum+p.Value
	}
	switch {
	case is.count > f.count:
		return fmt.Sprintf("it holds %d samples, and the daily figures are of %d", is.count, f.count)
	case is.low < f.low || is.high > f.high:
		return fmt.Sprintf("its values are from %v to %v, and the daily figures say %v to %v", is.low, is.high, f.low, f.high)
	case is.count == f.count && is != f:
		return fmt.Sprintf("the sum of its values is %v, and the daily figures say %v", is.sum, f.sum)
	}
	return ""
}

// named adds to a row's key what its series is.
func (v *verifier) named(key string, r record) string {
	id, ok := r["series"].(int64)
	if name := v.series[id]; ok && name != "" {
		return key + " (" + name + ")"
	}
	return key
}

// payload decodes the samples of a row and compares them with what the row says of them.
func (v *verifier) payload(t *BackupTable, r record, payload []byte) error {
	if t.Name == daysTable {
		series, _ := r["series"].(int64)
		return v.chunk(t, r, series, payload)
	}
	err := v.logged(t, r, payload)
	from, okFrom := r["t0"].(time.Time)
	to, okTo := r["t1"].(time.Time)
	if err != nil && okFrom && okTo {
		return fmt.Errorf("%w (it says that they are from %s to %s)", err, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	return err
}

// group looks at the samples of each series of an hour's row.
func (v *verifier) group(t *BackupTable, r record, payload []byte) {
	key, _ := r["series"].(int64)
	parts, err := chunksOf(nil, key, payload)
	if err != nil {
		v.damage(t.Name, keyOf(t, r), "its samples cannot be decoded: "+err.Error())
		return
	}
	for _, p := range parts {
		one := maps.Clone(r)
		one["series"] = p.Series
		if err := v.chunk(t, one, p.Series, p.Packed); err != nil {
			v.damage(t.Name, v.named(keyOf(t, one), one), err.Error())
		}
	}
}

// chunk looks at the samples of one series: whether they lie within their hour or day, in order, and are those of the daily figures.
func (v *verifier) chunk(t *BackupTable, r record, series int64, payload []byte) error {
	points, err := chunk.Unpack(nil, series, payload)
	if err != nil {
		return fmt.Errorf("its samples cannot be decoded: %w", err)
	}
	v.Samples += int64(len(points))
	begin, ok := r["t0"].(time.Time)
	long := time.Hour
	if t.Name == daysTable {
		long = dayLong
	}
	switch {
	case v.series[series] == "":
		return fmt.Errorf("it holds samples of the series %d, which is not there", series)
	case !ok || len(points) == 0:
		return errors.New("it holds no samples")
	case points[0].At < begin.UnixMicro() || points[len(points)-1].At >= begin.Add(long).UnixMicro():
		return fmt.Errorf("it holds samples of another time than the %s from %s on", long, begin.UTC().Format(time.RFC3339))
	}
	if f, ok := r.figures(); ok {
		if how := f.differs(points); how != "" {
			return errors.New(how + ": it is not of this series or day, or it lost samples")
		}
	}
	return nil
}

// logged looks at the samples of a row of the log: whether there are as many as it says, of the time that it says, of series that are there.
func (v *verifier) logged(t *BackupTable, r record, payload []byte) error {
	var count, strange int64
	oldest, newest := int64(math.MaxInt64), int64(math.MinInt64)
	err := chunk.Decode(payload, func(series int64, points []chunk.Point) bool {
		if v.series[series] == "" {
			strange = series
		}
		count += int64(len(points))
		for _, p := range points {
			oldest, newest = min(oldest, p.At), max(newest, p.At)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("its samples cannot be decoded: %w", err)
	}
	v.Samples += count
	if strange != 0 {
		return fmt.Errorf("it holds samples of the series %d, which is not there", strange)
	}
	if want, ok := r["count"].(int64); ok && want != count {
		return fmt.Errorf("it holds %d samples and says %d", count, want)
	}
	if t.Name != logTable {
		return nil
	}
	from, okFrom := r["t0"].(time.Time)
	to, okTo := r["t1"].(time.Time)
	if !okFrom || !okTo || from.UnixMicro() != oldest || to.UnixMicro() != newest {
		return errors.New("its samples are not of the time that it says")
	}
	return nil
}
