package profile

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds the name of a row and the text of a tag, in characters.
const maxName = 80

// Clean makes text of a device fit to be shown in one line: octets that are not UTF-8 are read as Latin-1; control and invisible characters
// become spaces; runs of spaces become one, and none stand at the ends; more than 80 characters are cut in the middle.
func Clean(text string) string {
	return shorten(oneLine(text), maxName)
}

func oneLine(text string) string {
	latin := !utf8.ValidString(text)
	var b strings.Builder
	gap := false
	add := func(r rune) {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			gap = b.Len() > 0
			return
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	if latin {
		for i := range len(text) {
			add(rune(text[i]))
		}
		return b.String()
	}
	for _, r := range text {
		add(r)
	}
	return b.String()
}

// shorten cuts a text in the middle, to at most so many characters.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	runes := []rune(text)
	head := most / 2
	tail := most - head - 1
	return string(runes[:head]) + "…" + string(runes[len(runes)-tail:])
}

// ParseNumber reads a number, or text that begins with one and goes on with its unit: "41 C", "12.5%", "-3.2dBm". What looks like something
// else is no number: "0x1A", "10.0.0.1", "12:30", "1,5", "2024-05-01". The result is finite.
func ParseNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	end := numberEnd(text)
	if end < len(text) && strings.IndexByte(".,:/-+_'", text[end]) >= 0 {
		return 0, false
	}
	if hex := strings.ToLower(strings.TrimLeft(text, "+-")); strings.HasPrefix(hex, "0x") {
		return 0, false
	}
	v, err := strconv.ParseFloat(text[:end], 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, false
	}
	return v, true
}

// numberEnd is where the number ends that a text begins with: sign, digits, a point and digits, an exponent.
func numberEnd(text string) int {
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	i = digits(text, i)
	if i+1 < len(text) && text[i] == '.' && isDigit(text[i+1]) {
		i = digits(text, i+1)
	}
	if i == 0 || i >= len(text) || text[i] != 'e' && text[i] != 'E' {
		return i
	}
	j := i + 1
	if j < len(text) && (text[j] == '-' || text[j] == '+') {
		j++
	}
	if k := digits(text, j); k > j {
		return k
	}
	return i
}

func digits(text string, i int) int {
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
