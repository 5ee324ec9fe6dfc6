package wire

import "bytes"

// party is who stands in From, To, P-Asserted-Identity, LocalID or RemoteID.
type party struct {
	user, host, tag []byte
}

// address reads name-addr or addr-spec with its parameters (RFC 3261 §20.10).
func (a *arena) address(value []byte) party {
	uri, params := value, []byte(nil)
	if open := unquoted(value, '<'); open >= 0 {
		uri = value[open+1:]
		if end := bytes.IndexByte(uri, '>'); end >= 0 {
			uri, params = uri[:end], uri[end+1:]
		}
	} else if i := bytes.IndexByte(value, ';'); i >= 0 {
		uri, params = value[:i], value[i:]
	}
	var p party
	p.user, p.host = a.uri(uri)
	p.tag = a.tidy(param(params, "tag"), maxText)
	return p
}

// uri reads the user and the host of a sip, sips or tel URI, or of one without a scheme.
func (a *arena) uri(uri []byte) (user, host []byte) {
	uri = trim(uri)
	switch {
	case begins(uri, "sip:"):
		uri = uri[4:]
	case begins(uri, "sips:"):
		uri = uri[5:]
	case begins(uri, "tel:"):
		return a.user(uri[4:]), nil
	case begins(uri, "urn:"), begins(uri, "http:"), begins(uri, "https:"):
		return nil, nil
	}
	if at := bytes.LastIndexByte(uri, '@'); at >= 0 {
		user, uri = a.user(uri[:at]), uri[at+1:]
	}
	return user, a.host(uri)
}

// user is the part before a password and parameters, unescaped.
func (a *arena) user(text []byte) []byte {
	if i := bytes.IndexAny(text, ":;"); i >= 0 {
		text = text[:i]
	}
	return a.tidy(a.unescape(trim(text)), maxText)
}

// host is what comes before port, parameters and headers, without the brackets of IPv6.
func (a *arena) host(text []byte) []byte {
	if len(text) > 0 && text[0] == '[' {
		if end := bytes.IndexByte(text, ']'); end > 0 {
			return a.tidy(text[1:end], maxText)
		}
	}
	if i := bytes.IndexAny(text, ":;?>"); i >= 0 {
		text = text[:i]
	}
	return a.tidy(trim(text), maxText)
}

// param is the value of a parameter of a ;name=value list, without quotes; the first one may lack its semicolon. nil when it is absent.
func param(list []byte, name string) []byte {
	for len(list) > 0 {
		var one []byte
		if i := unquoted(list, ';'); i >= 0 {
			one, list = list[:i], list[i+1:]
		} else {
			one, list = list, nil
		}
		key, value, _ := bytes.Cut(one, []byte("="))
		if is(trim(key), name) {
			return unquote(trim(value))
		}
	}
	return nil
}

// unquoted finds an octet outside double quotes; -1 when there is none.
func unquoted(text []byte, wanted byte) int {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == wanted:
			return i
		}
	}
	return -1
}

func unquote(text []byte) []byte {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}
