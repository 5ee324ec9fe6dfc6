package snmp

import (
	"context"
	"errors"

	"vigia/collectors/snmp/profile"
)

// Hello asks the device that a configuration names who it is, within ctx: whether a Survey would be answered, for people who look for devices.
// Its error says in words what went wrong.
func (c *Config) Hello(ctx context.Context) error {
	d := c.registry.acquire(c.Host, c.Port, c.credentials(), (*profile.Set)(nil), c.Profile)
	defer c.registry.release(d)
	s, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	_, err = s.hello(ctx)
	return err
}

// Silent reports whether an error of Hello or Survey is that nothing came back.
func Silent(err error) bool { return errors.Is(err, errSilent) }
