package main

import (
	"fmt"
	"maps"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // time zones by name, on a machine without them too
	"unicode"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// form is what a text must look like: the rule that a wrong one breaks, and the check, which says what is wrong and what to do.
type form struct {
	rule  string
	check func(s string) (message, hint string)
}

// forms are the values of the tag is.
var forms = map[string]form{
	"name":      {"bad-name", nameForm},
	"word":      {"bad-name", wordForm},
	"label":     {"bad-label", labelForm},
	"timezone":  {"bad-timezone", timezoneForm},
	"email":     {"bad-email", emailForm},
	"sender":    {"bad-email", senderForm},
	"prefix":    {"bad-prefix", prefixForm},
	"domain":    {"bad-domain", domainForm},
	"httpurl":   {"bad-url", urlForm},
	"image":     {"bad-image", imageForm},
	"listen":    {"bad-listen", listenForm},
	"address":   {"bad-listen", listenForm},
	"clock":     {"bad-time", clockForm},
	"clock_end": {"bad-time", clockEndForm},
	"date":      {"bad-date", dateForm},
	"days":      {"bad-days", daysForm},
	"shift":     {"bad-shift", shiftForm},
	"metric":    {"unknown-metric", metricForm},
	"pattern":   {"bad-pattern", patternForm},
}

var (
	namePattern   = regexp.MustCompile(`^[\pL\pN][\pL\pN _.-]{0,62}$`)
	wordPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)
	prefixPattern = regexp.MustCompile(`^\+[1-9][0-9]{0,14}$`) // ITU-T E.164 §6: at most 15 digits, no country code begins with 0
	domainPattern = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$`)
)

func nameForm(s string) (string, string) {
	if namePattern.MatchString(s) && !strings.HasSuffix(s, " ") {
		return "", ""
	}
	return fmt.Sprintf("%q is not a name", s), "letters, digits, spaces, and . _ - inside; at most 63"
}

func wordForm(s string) (string, string) {
	if wordPattern.MatchString(s) {
		return "", ""
	}
	return fmt.Sprintf("%q is not a word", s), "letters a to z, digits, - and _; at most 63"
}

func labelForm(s string) (string, string) {
	switch {
	case strings.TrimSpace(s) == "":
		return "the text is empty", "give a value or take the key out"
	case len([]rune(s)) > 200:
		return "the text is longer than 200 characters", ""
	case strings.ContainsFunc(s, unicode.IsControl):
		return "the text has a line end or another control character", "write one line"
	}
	return "", ""
}

func timezoneForm(s string) (string, string) {
	if s != "" && s != "Local" {
		if _, err := time.LoadLocation(s); err == nil {
			return "", ""
		}
	}
	return fmt.Sprintf("the time zone %q does not exist", s), "such as America/Costa_Rica or UTC"
}

func emailForm(s string) (string, string) {
	a, err := mail.ParseAddress(s)
	if err == nil && a.Address == s && strings.Contains(s, ".") {
		return "", ""
	}
	return fmt.Sprintf("%q is not an e-mail address", s), "such as ana@example.com"
}

func senderForm(s string) (string, string) {
	if _, err := mail.ParseAddress(s); err == nil && !strings.ContainsAny(s, "\r\n") {
		return "", ""
	}
	return fmt.Sprintf("%q is not an e-mail address", s), "such as noc@example.com or NOC <noc@example.com>"
}

func prefixForm(s string) (string, string) {
	if prefixPattern.MatchString(s) {
		return "", ""
	}
	return fmt.Sprintf("%q is not the beginning of a number", s), "a plus, the country code and at most 15 digits in all, such as +506"
}

func domainForm(s string) (string, string) {
	if domainPattern.MatchString(s) && len(s) <= 253 {
		return "", ""
	}
	return fmt.Sprintf("%q is not a domain", s), "such as acme.example"
}

func urlForm(s string) (string, string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return fmt.Sprintf("%q is not a web address", s), "begin with http:// or https://"
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "the address has a user, a query or a fragment", "give scheme, host and path only"
	}
	return "", ""
}

func imageForm(s string) (string, string) {
	if slices.Contains([]string{".svg", ".png", ".jpg", ".jpeg", ".webp"}, strings.ToLower(path.Ext(s))) {
		return "", ""
	}
	return fmt.Sprintf("%q is not the name of an image", s), "an .svg, .png, .jpg or .webp file"
}

func listenForm(s string) (string, string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Sprintf("%q is not an address to listen on", s), "host:port, such as 127.0.0.1:8080"
	}
	if p, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(p, 10) != port {
		return fmt.Sprintf("%q is not a port", port), "a number from 0 to 65535"
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return fmt.Sprintf("%q is not an address of this machine", host), "an IP address such as 127.0.0.1"
	}
	return "", ""
}

func metricForm(s string) (string, string) {
	if _, ok := collectors.Catalogue[collectors.Metric(s)]; ok {
		return "", ""
	}
	known := make([]string, 0, len(collectors.Catalogue))
	for m := range maps.Keys(collectors.Catalogue) {
		known = append(known, string(m))
	}
	return fmt.Sprintf("the metric %q does not exist", s), meant(s, known)
}

func patternForm(s string) (string, string) {
	kind, glob, cut := strings.Cut(s, "/")
	known := make([]string, 0, len(inventory.Kinds))
	for _, k := range inventory.Kinds {
		known = append(known, string(k))
	}
	switch {
	case s == "*":
		return "", ""
	case !cut || glob == "":
		return fmt.Sprintf("%q is not a pattern", s), "kind/name, where * stands for anything, such as link/* or server/sbc-*"
	case kind != "*" && !slices.Contains(known, kind):
		return fmt.Sprintf("%q is not a kind of object", kind), meant(kind, known)
	}
	return "", ""
}
