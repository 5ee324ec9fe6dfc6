package peer

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"vigia/collectors/inventory"
)

// CheckURL says why nothing can be posted to an address, without saying what stands there; nil when it is fine.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Opaque != "", u.Hostname() == "":
		return errors.New("this is not an address that can be posted to")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q is not http or https", u.Scheme)
	case u.Fragment != "":
		return errors.New("a fragment (#) is never sent")
	}
	return nil
}

// Host is the host's name in an address, for outcomes; empty when it has none.
func Host(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// SecretsIn lists an address and the parts of it that may be secrets, the longest first.
func SecretsIn(address inventory.Secret) []inventory.Secret {
	secrets := []inventory.Secret{address}
	u, err := url.Parse(address.Reveal())
	if err != nil {
		return secrets
	}
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, inventory.NewSecret(password))
	}
	parts := append([]string{u.RequestURI(), u.RawQuery, u.Path}, strings.Split(u.Path, "/")...)
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, part := range parts {
		if len(part) >= minSecret {
			secrets = append(secrets, inventory.NewSecret(part))
		}
	}
	return secrets
}

// minSecret keeps words such as "noc" in an address from being taken for secrets wherever they stand.
const minSecret = 8
