package main

import (
	"errors"
	"os"
	"path/filepath"

	"vigia/collectors/snmp/profile"
)

// SNMPSpec is what all snmp checks have in common.
type SNMPSpec struct {
	Profiles string `yaml:"profiles" need:"yes" is:"label"` // a folder of the operator's own profiles, relative to the configuration

	state string // changes when a file of the folder does
}

// profileKind is the kind of check that reads the folder.
const profileKind = "snmp"

// snmp reads the operator's profiles and notes everything that is wrong with them, each at its own file and line.
func (l *loader) snmp(cfg *Config) {
	s := cfg.SNMP
	if s == nil || s.Profiles == "" {
		return
	}
	before, folder := len(l.errs), s.Profiles
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(l.dir, folder)
	}
	info, err := os.Stat(folder)
	switch {
	case err != nil:
		l.problem(l.at[&s.Profiles], "bad-profiles", "a path is relative to the configuration file", "profiles: the folder %s cannot be used: %s", s.Profiles, fileProblem(err))
	case !info.IsDir():
		l.problem(l.at[&s.Profiles], "bad-profiles", "", "profiles: %s is not a folder", s.Profiles)
	default:
		_, err = profile.Load(os.DirFS(folder))
		var wrong profile.Errors
		if errors.As(err, &wrong) {
			for _, e := range wrong {
				file := filepath.Join(s.Profiles, e.File)
				l.errs = append(l.errs, ConfigError{File: file, Line: e.Line, Rule: "bad-profile", Message: e.Message, Hint: e.Hint})
			}
		} else if err != nil {
			l.problem(l.at[&s.Profiles], "bad-profiles", "", "profiles: %s", err.Error())
		}
		if s.state, err = profile.State(os.DirFS(folder)); err != nil {
			l.problem(l.at[&s.Profiles], "bad-profiles", "", "profiles: %s", err.Error())
		}
	}
	s.Profiles = folder
	l.badProfiles = len(l.errs) > before
}

// filesOf is the folder that a kind of check reads, and its state; empty for none.
func (c *Config) filesOf(kind string) (folder, state string) {
	if kind != profileKind || c.SNMP == nil {
		return "", ""
	}
	return c.SNMP.Profiles, c.SNMP.state
}
