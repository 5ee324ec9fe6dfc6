package main

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// sample is one of the stream.
type sample struct {
	series uint32
	ms     int64 // since 1970
	value  float64
}

// form is one way to give samples to VictoriaMetrics.
type form struct {
	path, encoding string
	body           func(to []byte, list []sample) []byte
}

// forms are those whose cost was compared. None groups samples of one series: within two seconds there is one of each.
func forms() map[string]form {
	return map[string]form{
		"prometheus":  {path: "/api/v1/import/prometheus", body: prometheus},
		"influx":      {path: "/write?precision=ms", body: influx},
		"json":        {path: "/api/v1/import", body: jsonLines},
		"csv":         {path: "/api/v1/import/csv?format=1:label:ref,2:metric:vigia_latency_ms,3:time:unix_ms", body: csv},
		"remotewrite": {path: "/api/v1/write", encoding: "snappy", body: remoteWrite},
	}
}

func formNames() []string { return slices.Sorted(maps.Keys(forms())) }

const metric = "vigia_latency_ms"

func ref(s sample) string { return fmt.Sprintf("server-%06d", s.series) }

func prometheus(to []byte, list []sample) []byte {
	for _, s := range list {
		to = append(append(append(to, metric+`{ref="`...), ref(s)...), `"} `...)
		to = append(strconv.AppendFloat(to, s.value, 'f', -1, 64), ' ')
		to = append(strconv.AppendInt(to, s.ms, 10), '\n')
	}
	return to
}

func influx(to []byte, list []sample) []byte {
	for _, s := range list {
		to = append(append(append(to, `vigia,ref=`...), ref(s)...), ` latency_ms=`...)
		to = append(strconv.AppendFloat(to, s.value, 'f', -1, 64), ' ')
		to = append(strconv.AppendInt(to, s.ms, 10), '\n')
	}
	return to
}

func jsonLines(to []byte, list []sample) []byte {
	for _, s := range list {
		to = append(append(append(to, `{"metric":{"__name__":"`+metric+`","ref":"`...), ref(s)...), `"},"values":[`...)
		to = append(strconv.AppendFloat(to, s.value, 'f', -1, 64), `],"timestamps":[`...)
		to = append(strconv.AppendInt(to, s.ms, 10), "]}\n"...)
	}
	return to
}

func csv(to []byte, list []sample) []byte {
	for _, s := range list {
		to = append(append(to, ref(s)...), ',')
		to = append(strconv.AppendFloat(to, s.value, 'f', -1, 64), ',')
		to = append(strconv.AppendInt(to, s.ms, 10), '\n')
	}
	return to
}

// remoteWrite is a WriteRequest of Prometheus in a block of snappy that holds it as it is: the cheapest to unpack.
func remoteWrite(to []byte, list []sample) []byte {
	var request []byte
	for _, s := range list {
		series := field(nil, 1, label("__name__", metric))
		series = field(series, 1, label("ref", ref(s)))
		point := binary.LittleEndian.AppendUint64([]byte{1<<3 | 1}, math.Float64bits(s.value))
		point = binary.AppendUvarint(append(point, 2<<3), uint64(s.ms))
		request = field(request, 1, field(series, 2, point))
	}
	return literals(to, request)
}

func label(name, value string) []byte {
	return field(field(nil, 1, []byte(name)), 2, []byte(value))
}

// field appends a field of octets.
func field(to []byte, number byte, octets []byte) []byte {
	to = binary.AppendUvarint(append(to, number<<3|2), uint64(len(octets)))
	return append(to, octets...)
}

// literals is a snappy block without any reference back.
func literals(to, raw []byte) []byte {
	to = binary.AppendUvarint(to, uint64(len(raw)))
	for part := range slices.Chunk(raw, 1<<16) {
		to = append(to, 61<<2)
		to = binary.LittleEndian.AppendUint16(to, uint16(len(part)-1))
		to = append(to, part...)
	}
	return to
}
