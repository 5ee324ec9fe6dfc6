package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// CheckCmd is vigia check: everything that is wrong with a configuration, in one go.
type CheckCmd struct {
	Config string `short:"c" default:"vigia.yaml" help:"The configuration file." placeholder:"FILE"`
}

// Run prints every mistake as file:line: message (hint) and returns an error, or says that the file is fine and what it holds.
func (c *CheckCmd) Run(ctx *kong.Context, kinds Kinds) error {
	return checkConfig(ctx.Stdout, c.Config, kinds)
}

func checkConfig(w io.Writer, path string, kinds Kinds) error {
	cfg, notices, err := Load(path, kinds)
	var text strings.Builder
	for _, n := range notices {
		text.WriteString(n.String() + "\n")
	}
	if err != nil {
		text.WriteString(err.Error() + "\n")
		err = refusal(path, err)
	} else {
		text.WriteString(path + ": fine: " + cfg.Summary() + "\n")
	}
	_, written := io.WriteString(w, text.String())
	return errors.Join(err, written)
}

// refusal counts the mistakes, which have been printed.
func refusal(path string, err error) error {
	var all ConfigErrors
	if errors.As(err, &all) && len(all) > 1 {
		return fmt.Errorf("%s is refused: %d mistakes", path, len(all))
	}
	return fmt.Errorf("%s is refused", path)
}
