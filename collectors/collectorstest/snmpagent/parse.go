package snmpagent

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

const (
	longestLine    = 1 << 20 // octets; a value of 64 KB in hexadecimal takes an eighth of it
	mostOctets     = 1 << 30 // of OIDs and values; a recording with more is a mistake
	octetsPerBlock = 1 << 16 // that are read at once
)

// Load reads a recording from a .snmprec file, packed with bzip2 when its name ends in .bz2.
func Load(path string) (*Recording, error) {
	file, err := os.Open(path) // #nosec G304 -- the caller names the file that it wants served
	if err != nil {
		return nil, fmt.Errorf("load recording: %w", err)
	}
	defer file.Close()
	var in io.Reader = file
	if strings.HasSuffix(path, ".bz2") {
		in = bzip2.NewReader(bufio.NewReaderSize(file, octetsPerBlock))
	}
	r, err := Parse(in)
	if err != nil {
		return nil, fmt.Errorf("load recording %s: %w", path, err)
	}
	return r, nil
}

// Parse reads snmpsim's .snmprec format: lines OID|type|value, the type as the number of its BER tag, then x when the value is in
// hexadecimal or e when it is text with escapes, then :module when something else computes the value. Of the modules it knows numeric
// (with rate, initial, min, max, scale, offset, deviation, function sin or cos, increasing and wrap) and writecache (with value or
// hexvalue, which it serves unchanged). Empty lines and lines that begin with # say nothing. OIDs may come in any order, and the last
// value of an OID is the one that is served, as in snmpsim. Spaces at the end of a text are kept: the device sent them.
func Parse(in io.Reader) (*Recording, error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, octetsPerBlock), longestLine)
	r := &Recording{}
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimRight(lines.Bytes(), "\r\n")
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' {
			continue
		}
		if err := r.parseLine(string(line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if len(r.octets) > mostOctets {
			return nil, fmt.Errorf("line %d: more than %d octets of OIDs and values", number, mostOctets)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", number+1, err)
	}
	return r, nil
}

func (r *Recording) parseLine(line string) error {
	oid, rest, _ := strings.Cut(line, "|")
	kind, text, found := strings.Cut(rest, "|")
	if !found {
		return fmt.Errorf("not of the form OID|type|value: %.100q", line)
	}
	tag, form, module, err := parseKind(kind)
	if err != nil {
		return err
	}
	switch {
	case module != "":
		err = r.parseModule(oid, tag, module, text)
	case tag.isNumber():
		err = r.parseNumber(oid, tag, form, text)
	default:
		err = r.parseContents(oid, tag, form, text)
	}
	if err != nil {
		return fmt.Errorf("%.200s, type %s: %w", oid, kind, err)
	}
	return r.err // nothing else has this recording yet
}

// The forms that a value is written in.
const (
	plain   = byte(0)
	inHex   = byte('x')
	escaped = byte('e')
)

// parseKind reads the middle of a line, such as 4x or 70:numeric.
func parseKind(kind string) (tag Tag, form byte, module string, err error) {
	number, module, hasModule := strings.Cut(kind, ":")
	if hasModule && module == "" {
		return 0, 0, "", fmt.Errorf("type %.50q names no module", kind)
	}
	if n := len(number); n > 0 && (number[n-1] == inHex || number[n-1] == escaped) {
		form, number = number[n-1], number[:n-1]
	}
	n, err := strconv.ParseUint(number, 10, 8)
	if err != nil {
		return 0, 0, "", fmt.Errorf("type %.50q is no number of a BER tag", kind)
	}
	tag = Tag(n)
	if !tag.isNumber() && tag != OctetString && tag != Null && tag != ObjectIdentifier && tag != IPAddress && tag != Opaque {
		return 0, 0, "", fmt.Errorf("type %d is none of a value", n)
	}
	return tag, form, module, nil
}

func (r *Recording) parseNumber(oid string, tag Tag, form byte, text string) error {
	if form != plain {
		return fmt.Errorf("a number is written in decimal, not with suffix %c", form)
	}
	text = strings.TrimSpace(text)
	if tag == Integer32 {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return fmt.Errorf("value %.50q is no number from -2147483648 to 2147483647", text)
		}
		r.setNumber(oid, tag, uint64(n))
		return nil
	}
	width := 32
	if tag == Counter64 {
		width = 64
	}
	n, err := strconv.ParseUint(text, 10, width)
	if err != nil {
		return fmt.Errorf("value %.50q is no number of 0 to %d bits", text, width)
	}
	r.setNumber(oid, tag, n)
	return nil
}

func (r *Recording) parseContents(oid string, tag Tag, form byte, text string) error {
	if tag == Null {
		r.setValue(oid, tag, nil)
		return nil
	}
	if tag == ObjectIdentifier {
		return r.parseOIDValue(oid, form, text)
	}
	contents, err := octetsOf(form, text)
	if err != nil {
		return err
	}
	if tag == IPAddress {
		if contents, err = addressOf(form, contents); err != nil {
			return err
		}
	}
	r.setValue(oid, tag, contents)
	return nil
}

// parseOIDValue reads dotted text; nothing at all is how recorders write the OID that says nothing, 0.0 (RFC 2578 §2, zeroDotZero).
func (r *Recording) parseOIDValue(oid string, form byte, text string) error {
	if form != plain {
		return fmt.Errorf("an OID is written with dots, not with suffix %c", form)
	}
	text = strings.TrimSpace(text)
	if text == "" {
		text = "0.0"
	}
	r.SetOID(oid, text)
	return nil
}

// octetsOf reads a string in the form that it is written in.
func octetsOf(form byte, text string) ([]byte, error) {
	switch form {
	case inHex:
		octets, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), "0x"))
		if err != nil {
			return nil, fmt.Errorf("hexadecimal value %.50q: %w", text, err)
		}
		return octets, nil
	case escaped:
		return unescape(text)
	default:
		return []byte(text), nil
	}
}

// addressOf takes the four octets of an address, or its dotted text when it is not written in hexadecimal.
func addressOf(form byte, contents []byte) ([]byte, error) {
	if addr, err := netip.ParseAddr(strings.TrimSpace(string(contents))); err == nil && form != inHex && addr.Is4() {
		octets := addr.As4()
		return octets[:], nil
	}
	if len(contents) != 4 {
		return nil, fmt.Errorf("value %.50q is no IPv4 address", contents)
	}
	return contents, nil
}

// escapes of one character, as the language of snmpsim has them.
const (
	escapeNames  = `\'"abfnrtv`
	escapeValues = "\\'\"\a\b\f\n\r\t\v"
)

// unescape reads text with backslashes: one character, \xHH, or up to three octal digits. A backslash before anything else stands for
// itself.
func unescape(text string) ([]byte, error) {
	var octets []byte
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			octets = append(octets, text[i])
			continue
		}
		i++
		switch at := strings.IndexByte(escapeNames, text[i]); {
		case at >= 0:
			octets = append(octets, escapeValues[at])
		case text[i] == 'x':
			n, err := strconv.ParseUint(text[i+1:min(i+3, len(text))], 16, 8)
			if err != nil || i+2 >= len(text) {
				return nil, fmt.Errorf(`escaped value %.50q: \x needs two hexadecimal digits`, text)
			}
			octets = append(octets, byte(n))
			i += 2
		case isOctal(text[i]):
			end := i + 1
			for end < len(text) && end < i+3 && isOctal(text[end]) {
				end++
			}
			n, _ := strconv.ParseUint(text[i:end], 8, 16)
			octets = append(octets, byte(n))
			i = end - 1
		default:
			octets = append(octets, '\\', text[i])
		}
	}
	return octets, nil
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }
