package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v4"

	"vigia/collectors/inventory"
)

// maxSecret bounds a file that a secret is kept in.
const maxSecret = 64 << 10

// secret reads a value that is kept secret. References are resolved here and nowhere else; the text of the file is never put into a message.
func (l *loader) secret(n *yaml.Node, s *inventory.Secret, key string) {
	if n.Kind != yaml.ScalarNode {
		l.problem(n, "wrong-type", "", "%s: want text, this is %s", key, kindOf(n))
		return
	}
	text, references, ok := l.expand(n, key)
	if !ok {
		return
	}
	if references {
		l.text[n] = text
	} else if inClear(key, text) {
		l.notice(n, "literal-secret", "%s stands in the file itself; ${env:NAME} or ${file:PATH} would keep it out", key)
		l.secrets = append(l.secrets, text)
	}
	*s = inventory.NewSecret(text)
}

// inClear reports whether a literal text is a secret that everyone who reads the file reads too: any word but an address without password, a
// user, a certificate, and of a set of headers only those that carry one.
func inClear(key, text string) bool {
	if text == "" || strings.HasPrefix(text, "sqlite:") || key == "user" || key == "ca" {
		return false
	}
	if u, err := url.Parse(text); err == nil && strings.Contains(text, "://") {
		_, has := u.User.Password()
		return has
	}
	_, header, inMap := strings.Cut(strings.ToLower(key), ".")
	if !inMap {
		return true
	}
	for _, word := range []string{"auth", "token", "key", "secret", "cookie", "password"} {
		if strings.Contains(header, word) {
			return true
		}
	}
	return false
}

// expand replaces every ${env:NAME} and ${file:PATH} of a text.
func (l *loader) expand(n *yaml.Node, key string) (text string, references, ok bool) {
	var b strings.Builder
	rest, ok := n.Value, true
	for {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			return b.String(), references, ok
		}
		references = true
		inner, tail, closed := strings.Cut(after, "}")
		if !closed {
			l.problem(n, "secret-syntax", "write ${env:NAME} or ${file:PATH}", "%s: a reference is not closed with }", key)
			return "", true, false
		}
		value, found := l.reference(n, key, inner)
		if found {
			b.WriteString(value)
			l.secrets = append(l.secrets, value)
		}
		ok = ok && found
		rest = tail
	}
}

// reference resolves what stands between ${ and }.
func (l *loader) reference(n *yaml.Node, key, inner string) (string, bool) {
	source, name, cut := strings.Cut(inner, ":")
	switch {
	case !cut || source != "env" && source != "file":
		l.problem(n, "secret-syntax", "write ${env:NAME} or ${file:PATH}", "%s: ${%s} is no reference to a secret", key, inner)
	case strings.TrimSpace(name) == "":
		l.problem(n, "secret-syntax", "write ${env:NAME} or ${file:PATH}", "%s: ${%s} names nothing", key, inner)
	case source == "env":
		value, set := l.env(name)
		if set && value != "" {
			return value, true
		}
		state := "not set"
		if set {
			state = "empty"
		}
		l.problem(n, "secret-env", "set it before the start", "%s: the environment variable %s is %s", key, name, state)
	default:
		value, err := l.secretFile(name)
		if err == nil {
			return value, true
		}
		l.problem(n, "secret-file", "a path is relative to the configuration file", "%s: the file %s cannot be used: %s", key, name, fileProblem(err))
	}
	return "", false
}

// secretFile reads a small regular file and takes the newline at its end off.
func (l *loader) secretFile(path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(l.dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file")
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case len(data) > maxSecret:
		return "", fmt.Errorf("it is larger than %d KiB", maxSecret>>10)
	case text == "":
		return "", errors.New("it is empty")
	}
	return text, nil
}
