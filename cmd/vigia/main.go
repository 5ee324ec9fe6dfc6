// Command vigia is the monitor of a VoIP operator's NOC and SOC.
//
// This package joins the parts and decides nothing: kinds.go names the kinds of checks and receivers, app.go joins collectors, engine, store,
// outbox and pages in the order in which a packet travels, app_duty.go lets the parts of the active process begin and end with its right to be
// it, config_*.go read the configuration file, and each subcommand has a file.
//
//	vigia run ──▶ active ◀── takes over ── standby: pages, API, reload; asks every second (PostgreSQL)
//	                └──────── is deposed ────▲
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line (design §7).
type cli struct {
	Run        RunCmd        `cmd:"" help:"Watch: probe, judge, tell people, show it."`
	Check      CheckCmd      `cmd:"" help:"Say everything that is wrong with a configuration file."`
	Demo       DemoCmd       `cmd:"" help:"A simulated operator with one bad minute in three. Needs no configuration."`
	Discover   DiscoverCmd   `cmd:"" help:"Ask devices over SNMP what they offer: ready YAML for servers and links."`
	Mos        MosCmd        `cmd:"" help:"Rate a call on paper: R and MOS by the E-model, and what took how much."`
	Replay     ReplayCmd     `cmd:"" help:"The calls of capture files, with MOS and cause."`
	Backup     BackupCmd     `cmd:"" help:"Write all that the store holds into one file, while vigia runs."`
	Restore    RestoreCmd    `cmd:"" help:"Fill an empty store from a backup. Nobody is told again of what was open."`
	Store      StoreCmd      `cmd:"" help:"How much the store holds, whether it is whole, and how to make it small."`
	Calls      CallsCmd      `cmd:"" help:"List calls and how they sounded."`
	Incidents  IncidentsCmd  `cmd:"" help:"List incidents with their timelines."`
	Thresholds ThresholdsCmd `cmd:"" help:"Try thresholds on what is stored."`
	Notify     NotifyCmd     `cmd:"" help:"Try a receiver: send it a test message."`
	Bench      BenchCmd      `cmd:"" help:"Measure: sizing and proof."`
	Version    VersionCmd    `cmd:"" help:"Print the version."`
}

// VersionCmd is vigia version.
type VersionCmd struct{}

// Run prints the version.
func (VersionCmd) Run(k *kong.Context) error {
	fmt.Fprintln(k.Stdout, "vigia", version())
	return nil
}

// version is what the build knows of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var c cli
	parser, err := kong.New(&c,
		kong.Name("vigia"), kong.Description("The monitor of a VoIP operator's NOC and SOC."), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(logger, kinds()),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "vigia:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "vigia: %v (vigia --help lists what there is)\n", err)
		return 2
	}
	if err := k.Run(&c.Bench); err != nil {
		fmt.Fprintln(os.Stderr, "vigia:", err)
		return 1
	}
	return 0
}

// firstLine is the first line of an error, for where only one fits.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
