package store

import (
	"strings"
	"time"
	"unicode/utf8"

	"vigia/collectors/voice"
)

// Numbers says how much of the parties' numbers is kept.
type Numbers struct {
	Masked    bool          // the end of each is made unknown
	MaskAfter time.Duration // once a call began so long ago; 0: before it is stored
}

const (
	hiddenDigits = 4 // of a number: which subscriber of a block it is. Country, network and block stay
	shownRunes   = 3 // of a name
	hidden       = "****"
)

// maskText makes the end of a number or name unknown: of a number the last four digits (the last half of one that is shorter than eight), of a name
// all but its first three letters.
func maskText(text voice.Text) voice.Text { return voice.Text(maskNumber(string(text))) }

func maskNumber(text string) string {
	if text == "" {
		return ""
	}
	digits, ok := digitsIn(text)
	if !ok {
		n := 0
		for range shownRunes {
			_, size := utf8.DecodeRuneInString(text[n:])
			n += size
		}
		return text[:n] + hidden
	}
	hide := min(hiddenDigits, (len(digits)+1)/2)
	masked := []byte(text)
	for i := len(masked) - 1; i >= 0 && hide > 0; i-- {
		if isDigit(masked[i]) {
			masked[i] = '*'
			hide--
		}
	}
	return strings.TrimRight(string(masked), " -.()")
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// digitsIn is the digits of a number as people write one, and masked digits; false when it is none.
func digitsIn(text string) (string, bool) {
	var digits []byte
	for i := range len(text) {
		switch b := text[i]; {
		case isDigit(b), b == '*' && len(digits) > 0:
			digits = append(digits, b)
		case b == '+' && len(digits) == 0, strings.IndexByte(" -.()", b) >= 0:
		default:
			return "", false
		}
	}
	return string(digits), len(digits) > 0
}

// endOf is the digits of a number backwards, or the letters of a name: what is looked for by its end begins with its end here.
func endOf(text string) string {
	if digits, ok := digitsIn(text); ok {
		text = digits
	}
	runes := []rune(strings.ToLower(text))
	var b strings.Builder
	for i := len(runes) - 1; i >= 0; i-- {
		b.WriteRune(runes[i])
	}
	return b.String()
}
