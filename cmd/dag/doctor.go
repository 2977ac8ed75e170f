package main

import (
	"cmp"
	"context"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dag/engine/addr"
	"dag/engine/diag"
	"dag/engine/lake"
	"dag/engine/view"
)

func (a *app) doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check project, lake and machine, each with a way out",
		Long: `Checks the project's files, what the lake's place can do, its free space and clock, what
earlier runs have left, the leases, the index and the raw files. Each line is ok, warn or
bad, with the way out. Exit code 7 if something is bad. It writes a small folder in .dag
and removes it again.`,
		Example: "  dag doctor\n  dag doctor --json | jq -r '.checks[] | select(.status != \"ok\") | .message'",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

func (a *app) doctor(ctx context.Context) error {
	d := &examination{app: a, doc: view.NewDoctor(), commands: a.commands("")}
	d.version()
	p := d.project()
	if p != nil {
		if err := d.lakeAt(ctx, p); err != nil {
			return err
		}
	}
	err := a.print(d.doc, func() error { return d.doc.Text(a.stdout, a.style(a.stdout)) })
	if err == nil && d.doc.Bad > 0 {
		return exit(exitProblems)
	}
	return err
}

// examination is one run of doctor.
type examination struct {
	app      *app
	doc      *view.DoctorDoc
	commands view.Commands
}

func (d *examination) ok(check, detail string) { d.doc.Add(check, view.CheckOK, detail, d.commands) }
func (d *examination) warn(check, detail string) {
	d.doc.Add(check, view.CheckWarn, detail, d.commands)
}
func (d *examination) bad(check, detail string) { d.doc.Add(check, view.CheckBad, detail, d.commands) }

func (d *examination) version() {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = cmp.Or(info.Main.Version, version)
	}
	d.ok("version", view.Machine(version, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH, runtime.GOMAXPROCS(0), machineMemory()))
}

// project loads the project; nil if there is none that is valid.
func (d *examination) project() *project {
	p, list, err := d.app.loadAll()
	if err != nil {
		d.bad("project", briefly(err))
		return nil
	}
	d.ok("project", p.root)
	if list.HasErrors() {
		d.bad("config", view.Mistakes(list))
		return nil
	}
	if len(list) > 0 {
		d.warn("config", view.Mistakes(list))
	} else {
		d.ok("config", p.extent())
	}
	return p
}

// briefly is an error without its details.
func briefly(err error) string {
	list := diag.FromError(err, "io") // the code is not shown
	if len(list) > 0 {
		return list[0].Summary
	}
	return strings.SplitN(err.Error(), "\n", 2)[0]
}

// lakeAt checks the lake of a project.
func (d *examination) lakeAt(ctx context.Context, p *project) error {
	root := p.lakeRoot()
	l, err := p.openLake(lake.Options{LockTimeout: -1, RunID: d.app.runID()})
	if err != nil {
		d.bad("lake", briefly(err))
		return nil
	}
	end := d.app.showPhase(func() (string, int64) {
		if l.Looked() == 0 {
			return "", 0
		}
		return "raw files looked at", l.Looked()
	})
	h, err := l.Examine(ctx)
	end()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		d.bad("lake", err.Error())
		return nil
	case !h.Exists:
		d.warn("lake", root)
		return nil
	}
	d.ok("lake", root)
	d.place(h)
	d.leftovers(ctx, l, p)
	d.index(h.Index)
	d.raw(h)
	if err := d.unused(ctx, l, p); err != nil {
		return err
	}
	if h.Write == nil {
		return l.Close()
	}
	return nil
}

// clockSkew is how far clocks may differ before it is told.
const clockSkew = 2 * time.Second

// Free space below which it is told, and below which it is bad.
const (
	littleSpace = 10 << 30
	noSpace     = 1 << 30
)

// place tells what the file system can do.
func (d *examination) place(h lake.Health) {
	if h.Write != nil {
		d.bad("write", h.Write.Error())
	} else {
		d.ok("write", "")
		d.either(h.Exchange, "exchange", "")
		d.either(h.Links, "links", "")
		d.either(h.Skew.Abs() <= clockSkew, "clock", view.Duration(h.Skew.Abs()))
	}
	if h.Total == 0 {
		return
	}
	text := view.Space(h.Free, h.Total)
	switch {
	case h.Free < noSpace:
		d.bad("space", text)
	case h.Free < littleSpace:
		d.warn("space", text)
	default:
		d.ok("space", text)
	}
}

// either is ok or a warning.
func (d *examination) either(fine bool, check, detail string) {
	if fine {
		d.ok(check, detail)
	} else {
		d.warn(check, detail)
	}
}

// leftovers tells what dead processes have left, and who is writing.
func (d *examination) leftovers(ctx context.Context, l *lake.Lake, p *project) {
	keep := lake.Keep{Knows: func(addr.Partition) bool { return true }}
	for _, s := range p.graph.Stages {
		keep.Stages = append(keep.Stages, s.Addr)
	}
	left, err := l.Leftovers(ctx, keep)
	var bytes int64
	n := 0
	for _, x := range left {
		if x.Kind != lake.DeadLease && x.Kind != lake.ForeignData {
			n++
			bytes += x.Bytes
		}
	}
	switch {
	case err != nil:
		d.bad("leftovers", err.Error())
	case n > 0:
		d.warn("leftovers", view.Leftovers(n, bytes))
	default:
		d.ok("leftovers", "")
	}
	leases, err := l.Leases()
	if err != nil {
		d.bad("leases", err.Error())
		return
	}
	leases = slices.DeleteFunc(leases, func(h lake.HeldLease) bool { return h.Draft })
	dead, unread := 0, []string(nil)
	for _, h := range leases {
		if h.Dead {
			dead++
		}
		if h.Name == "" {
			unread = append(unread, path.Join(".dag/leases", h.File))
		}
	}
	if len(unread) > 0 {
		d.warn("lease", strings.Join(unread, ", "))
	}
	d.either(dead == 0, "leases", view.LeaseCount(len(leases)-dead, dead))
}

// index tells which index files are damaged.
func (d *examination) index(files map[addr.Dataset]error) {
	var damaged []string
	for a, err := range files {
		if err != nil {
			damaged = append(damaged, a.String())
		}
	}
	slices.Sort(damaged)
	if len(damaged) > 0 {
		d.warn("index", strings.Join(damaged, ", "))
		return
	}
	d.ok("index", view.IndexCount(len(files)))
}
