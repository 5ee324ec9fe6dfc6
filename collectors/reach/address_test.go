package reach_test

import (
	"net/netip"
	"testing"

	"vigia/collectors/collectorstest"
	"vigia/collectors/reach"
)

func TestForbidden(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "192.0.2.1": false, "fd00::1": false, "2001:db8::1": false, "100.64.0.1": false,
		"169.254.169.254": true, "169.254.0.1": true, "fe80::1": true, "fe80::1%eth0": true, "::ffff:169.254.169.254": true, "::ffff:100.100.100.200": true, "::ffff:0.0.0.0": true,
		"224.0.0.1": true, "ff02::1": true, "0.0.0.0": true, "::": true, "255.255.255.255": true,
		"100.100.100.200": true, "192.0.0.192": true, "fd00:ec2::254": true,
	} {
		if got := reach.Forbidden(netip.MustParseAddr(address)); got != want {
			t.Errorf("Forbidden(%s) = %v, want %v", address, got, want)
		}
	}
	if !reach.Forbidden(netip.Addr{}) {
		t.Error("the zero address is allowed")
	}
}

func TestHostProblems(t *testing.T) {
	for host, good := range map[string]bool{
		"sbc-1": true, "sbc-1.example.com.": true, "192.0.2.1": true, "2001:db8::1": true, "[2001:db8::1]": true, "_sip.example": true, "1.example": true,
		"": false, "192.0.2.300": false, "http://x": false, "x:5060": false, "x/y": false, "-x": false, "x-": false, "a..b": false,
		"señal": false, "a b": false, "169.254.169.254": false, "fe80::1": false, "224.0.0.251": false,
	} {
		if problems := reach.HostProblems("host", host); (len(problems) == 0) != good {
			t.Errorf("HostProblems(%q) = %v, want good: %v", host, problems, good)
		}
	}
}

func TestSplitAddress(t *testing.T) {
	host, port, problems := reach.SplitAddress("address", "[2001:db8::1]:5061")
	if host != "2001:db8::1" || port != 5061 || len(problems) != 0 {
		t.Errorf("got %q %d %v", host, port, problems)
	}
	for _, bad := range []string{"", "x", "x:", "x:0", "x:65536", "x:sip", ":25", "2001:db8::1:5061"} {
		if _, _, problems := reach.SplitAddress("address", bad); len(problems) == 0 {
			t.Errorf("%q is taken for host:port", bad)
		}
	}
}

func TestFamilyAndCodesAsText(t *testing.T) {
	for text, good := range map[string]bool{"4": true, "6": true, "auto": true, "5": false, "": false, "IPv4": false} {
		var f reach.Family
		if err := f.UnmarshalText([]byte(text)); (err == nil) != good {
			t.Errorf("family %q: %v", text, err)
		}
	}
	for text, good := range map[string]bool{
		"200": true, "2xx": true, "any": true, "6XX": true, "699": true,
		"": false, "99": false, "700": false, "20x": false, "xxx": false, "2000": false, "0xx": false, "2x0": false, "-20": false,
	} {
		var c reach.Code
		if err := c.UnmarshalText([]byte(text)); (err == nil) != good {
			t.Errorf("code %q: %v", text, err)
		}
	}
}

func TestCodesWant(t *testing.T) {
	codes := reach.Codes{"2xx", "404"}
	for status, want := range map[int]bool{200: true, 299: true, 404: true, 405: false, 503: false, 2000: false, 2: false} {
		if got := codes.Want(status); got != want {
			t.Errorf("Want(%d) = %v", status, got)
		}
	}
	if got := codes.String(); got != "2xx, 404" {
		t.Errorf("String() = %q", got)
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in      string
		longest int
		want    string
	}{
		{"Not Found", 80, "Not Found"},
		{"  a\r\nb\x00\x1b[31mc  ", 80, "a b [31mc"},
		{"\xff\xfe", 80, ""},
		{"a\u202eb\u0085c", 80, "a b c"}, // a turn of direction would make a line lie
		{"0123456789", 4, "0123…"},
		{"España", 80, "España"},
	} {
		if got := reach.Clean(c.in, c.longest); got != c.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", c.in, c.longest, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	collectorstest.Words(t, "tcp", reach.Words("tcp", nil))
}
