package sms

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// The default alphabet of 3GPP TS 23.038 §6.2.1 without its control characters, and the characters that take two of its places.
const (
	gsmSingle = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\n\r"
	gsmDouble = "^{}\\[~]|€"
)

// substitutes are what the alphabet lacks, in its letters: accents of Spanish, Portuguese, French and their neighbours, and typography.
var substitutes = strings.NewReplacer(
	"á", "a", "â", "a", "ã", "a", "ā", "a", "Á", "A", "À", "A", "Â", "A", "Ã", "A", "ç", "c", "ć", "c", "č", "c", "Ć", "C", "Č", "C",
	"ê", "e", "ë", "e", "È", "E", "Ê", "E", "Ë", "E", "í", "i", "î", "i", "ï", "i", "Í", "I", "Ì", "I", "Î", "I", "Ï", "I",
	"ó", "o", "ô", "o", "õ", "o", "Ó", "O", "Ò", "O", "Ô", "O", "Õ", "O", "ú", "u", "û", "u", "Ú", "U", "Ù", "U", "Û", "U",
	"ý", "y", "ÿ", "y", "Ý", "Y", "š", "s", "Š", "S", "ž", "z", "Ž", "Z", "ł", "l", "Ł", "L", "œ", "oe", "Œ", "OE",
	"“", "\"", "”", "\"", "„", "\"", "«", "\"", "»", "\"", "‘", "'", "’", "'", "`", "'", "´", "'", "–", "-", "—", "-", "−", "-", "‑", "-", "…", "...", "·", "-", "•", "-",
	"→", "->", "≥", ">=", "≤", "<=", "×", "x", "µ", "u", "º", "o", "ª", "a", "°", "", "\u00a0", " ", "\u2009", " ", "\u202f", " ",
)

// inGSM writes a text in the GSM alphabet. Symbols that it lacks become question marks; it fails when a letter or digit would.
func inGSM(text string) (string, bool) {
	whole := true
	out := strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(gsmSingle, r), strings.ContainsRune(gsmDouble, r):
			return r
		case unicode.IsLetter(r), unicode.IsDigit(r):
			whole = false
		case unicode.IsMark(r), r == '\u200b', r == '\u2060':
			return -1
		}
		return '?'
	}, substitutes.Replace(text))
	return out, whole
}

// room is how much fits into a message. A character that takes two places is never divided, so that two segments have one place less.
type room struct {
	one, two int
	cost     func(string) int
}

var (
	roomGSM = room{160, 2*153 - 1, func(text string) int {
		cost := 0
		for _, r := range text {
			cost++
			if strings.ContainsRune(gsmDouble, r) {
				cost++
			}
		}
		return cost
	}}
	roomUCS2 = room{70, 2*67 - 1, func(text string) int { return len(utf16.Encode([]rune(text))) }}
)
