package reach

import (
	"fmt"
	"strings"
)

// Code is a status code that is wanted: one (200), a class (2xx) or Any.
type Code string

// Any stands for every status code.
const Any Code = "any"

// UnmarshalText reads 100 to 699, 1xx to 6xx, or any.
func (c *Code) UnmarshalText(text []byte) error {
	s := strings.ToLower(string(text))
	if s == string(Any) || len(s) == 3 && s[0] >= '1' && s[0] <= '6' && (s[1:] == "xx" || strings.Trim(s[1:], "0123456789") == "") {
		*c = Code(s)
		return nil
	}
	return fmt.Errorf("%q is no status code: one such as 200, or a class such as 2xx, or any", text)
}

// MarshalText writes what UnmarshalText reads.
func (c Code) MarshalText() ([]byte, error) { return []byte(c), nil }

// Codes are the status codes that are wanted.
type Codes []Code

// Want reports whether a status code is among them.
func (cs Codes) Want(status int) bool {
	text := fmt.Sprintf("%03d", status)
	for _, c := range cs {
		if c == Any || string(c) == text || strings.HasSuffix(string(c), "xx") && len(text) == 3 && c[0] == text[0] {
			return true
		}
	}
	return false
}

// String lists them: 2xx, 404.
func (cs Codes) String() string {
	parts := make([]string, len(cs))
	for i, c := range cs {
		parts[i] = string(c)
	}
	return strings.Join(parts, ", ")
}
