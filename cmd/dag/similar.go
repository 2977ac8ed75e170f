package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/lake"
	"dag/engine/stage"
	"dag/stages/retrieval"
)

// The datasets that similar reads.
var (
	setupVectors = addr.Dataset{Layer: "gold", Product: "future", Table: "setup_vectors"}
	setupIndex   = addr.Dataset{Layer: "gold", Product: "future", Table: "setup_index"}
)

// The semantics of an index.
const (
	correctedSemantics = "corrected"
	referenceSemantics = "reference"
)

// similarFlags say what to compare, and how.
type similarFlags struct {
	root, symbol     string
	episode          string
	partition, clock string
	vector           string
	level, direction string
	asOf             string
	minDate, maxDate string
	k, perDay        int
	excludeChop      bool
	semantics        string
	changed          func(flag string) bool // it is on the command line
}

func (a *app) similarCmd() *cobra.Command {
	var f similarFlags
	cmd := &cobra.Command{
		Use:   "similar",
		Short: "Find the historical set-ups nearest to one, and what happened next",
		Long: "Finds the earlier episodes that looked most like one, at the same level and from\nthe same side, and says what came of them beside what comes of all. It asks about\n" +
			"the last episode in the lake unless told otherwise, and never sees the episode's\nown day or a later one.",
		Example: `  dag similar
  dag similar --episode 2025-08-14_ESU5_or_high_1755179160000000000 -k 20
  dag similar --partition 'setup_vectors[symbol=ESU5,dt=2025-08-14]' --time 09:46
  dag similar --vector setup.json --as-of 2025-08-14
  dag similar evaluate`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			return a.similar(cmd.Context(), &f)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.root, "root", "", "the `root` whose index is asked, as ES (default: the only one)")
	fs.StringVar(&f.symbol, "symbol", "", "ask about the last episode of this `contract`")
	fs.StringVar(&f.episode, "episode", "", "ask about the episode of this `id`")
	fs.StringVar(&f.partition, "partition", "", "ask about an episode of this `partition` of gold.future.setup_vectors")
	fs.StringVar(&f.clock, "time", "", "with --partition: a `time` of its trigger candle, HH:MM[:SS] in New York or ns UTC (default: the last)")
	fs.StringVar(&f.vector, "vector", "", "ask about the vector in a `file`: a JSON array, or numbers apart by commas or lines")
	fs.StringVar(&f.level, "level", "", "with --partition: the `level`, as pm_high; with --vector: refuse one of another level")
	fs.StringVar(&f.direction, "direction", "", "with --vector: refuse one from another side than `from_below` or from_above")
	fs.StringVar(&f.asOf, "as-of", "", "know nothing from this `date` on (default: the day of the episode)")
	fs.StringVar(&f.minDate, "min-date", "", "with reference semantics: no neighbours before this `date`")
	fs.StringVar(&f.maxDate, "max-date", "", "with reference semantics: no neighbours after this `date`")
	fs.IntVarP(&f.k, "neighbours", "k", retrieval.DefaultK, "how many `neighbours`")
	fs.IntVar(&f.perDay, "max-per-day", retrieval.DefaultMaxPerDay, "at most `N` neighbours of one day")
	fs.BoolVar(&f.excludeChop, "exclude-chop", false, "leave out episodes that went neither way")
	fs.StringVar(&f.semantics, "semantics", "", "refuse an index of other semantics than `corrected` or reference (default: those of the index)")
	cmd.AddCommand(a.similarEvaluateCmd())
	return cmd
}

// noArguments names an argument that should not be there.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range cmd.Commands() {
		known = append(known, c.Name())
	}
	hint := didYouMean(args[0], known)
	if hint == "" {
		hint = fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())
	}
	return mistake("usage", fmt.Sprintf("%s takes no argument, and %q is one", cmd.CommandPath(), args[0]), hint)
}

// check refuses flags that contradict each other.
func (f *similarFlags) check(cmd *cobra.Command) error {
	f.changed = cmd.Flags().Changed
	var ways []string
	for _, way := range []string{"episode", "partition", "vector"} {
		if f.changed(way) {
			ways = append(ways, "--"+way)
		}
	}
	switch {
	case len(ways) > 1:
		return mistake("usage", fmt.Sprintf("%s each say what to ask about", strings.Join(ways, " and ")), "use one of them")
	case f.clock != "" && f.partition == "":
		return mistake("usage", "--time is of a partition, and there is no --partition", "as in --partition 'setup_vectors[symbol=ESU5,dt=2025-08-14]' --time 09:46")
	case f.level != "" && f.vector == "" && f.partition == "":
		return mistake("usage", "--level is for --vector and --partition: an episode has its own", "")
	case f.direction != "" && f.vector == "":
		return mistake("usage", "--direction is for --vector: an episode has its own", "")
	case f.symbol != "" && len(ways) > 0:
		return mistake("usage", fmt.Sprintf("--symbol chooses the last episode, and %s another", ways[0]), "use one of them")
	}
	if f.semantics != "" {
		if err := oneOf("--semantics", f.semantics, correctedSemantics, referenceSemantics); err != nil {
			return err
		}
	}
	return f.checkValues()
}

// checkValues refuses dates that are none and numbers below 1.
func (f *similarFlags) checkValues() error {
	for _, date := range []struct{ flag, value string }{{"as-of", f.asOf}, {"min-date", f.minDate}, {"max-date", f.maxDate}} {
		if !f.changed(date.flag) {
			continue
		}
		if _, err := time.Parse(time.DateOnly, date.value); err != nil {
			return mistake("usage", fmt.Sprintf("--%s is %q, not a date", date.flag, date.value), "as in --"+date.flag+" 2025-08-14")
		}
	}
	for _, n := range []struct {
		flag  string
		value int
	}{{"-k", f.k}, {"--max-per-day", f.perDay}} {
		if n.value < 1 {
			return mistake("usage", fmt.Sprintf("%s is %d, not at least 1", n.flag, n.value), "")
		}
	}
	return nil
}

func (a *app) similar(ctx context.Context, f *similarFlags) error {
	return a.withIndex(ctx, func(m *marketLake) error {
		setup, err := m.asked(ctx, f)
		if err != nil {
			return err
		}
		root, err := m.rootOf(setup, f.root)
		if err != nil {
			return err
		}
		x, err := m.openIndex(ctx, root, f.semantics)
		if err != nil {
			return err
		}
		defer x.close()
		if err := m.sameSemantics(x, setup); err != nil {
			return err
		}
		if f.vector != "" {
			if err := placeVector(x.Index, setup, f); err != nil {
				return err
			}
		}
		doc, err := answer(x.Index, setup, f)
		if err != nil {
			return m.damaged(x, err)
		}
		if doc.NotIndexed = x.notIndexed; x.notIndexed > 0 {
			doc.catchUp = m.catchUp(x.notIndexed)
		}
		return doc.write(a)
	})
}

// marketLake is a lake that may hold set-ups.
type marketLake struct {
	*project
	lake    *lake.Lake
	vectors *config.Dataset
	index   *config.Dataset
}

// withIndex opens project and lake and calls f. Nothing is planned: what lies
// in the lake is what is asked.
func (a *app) withIndex(ctx context.Context, f func(*marketLake) error) error {
	p, err := a.load()
	if err != nil {
		return err
	}
	m := &marketLake{project: p}
	for _, d := range p.config.Datasets {
		switch d.Addr {
		case setupVectors:
			m.vectors = d
		case setupIndex:
			m.index = d
		}
	}
	if m.vectors == nil || m.index == nil {
		return mistake("no_index", fmt.Sprintf("this project has no datasets %s and %s", setupVectors, setupIndex), "the shipped pipeline has them: "+a.name+" demo DIR")
	}
	if m.lake, err = p.openLake(lake.Options{}); err != nil {
		return err
	}
	err = f(m)
	if e := m.lake.Close(); e != nil {
		a.log.Warn().Err(e).Msg("the index cache was not saved")
	}
	return err
}

// rootOf is the root whose index a set-up is compared with: that of its
// contract. A vector of no episode has none, and takes what --root says.
func (m *marketLake) rootOf(s *retrieval.Setup, asked string) (string, error) {
	root := m.vectors.Values(map[string]string{"symbol": s.Symbol})["root"]
	if s.EpisodeID == "" || root == "" {
		return asked, nil
	}
	if asked != "" && asked != root {
		return "", mistake("usage", fmt.Sprintf("episode %s is of %s, and --root says %s", s.EpisodeID, root, asked), "leave --root out")
	}
	return root, nil
}

// indexSource is a partition of the index as retrieval reads it.
type indexSource struct {
	ctx  context.Context
	part *lake.Partition
}

func (s indexSource) Rows() stage.Batches             { return s.part.Read(s.ctx) }
func (s indexSource) Table(name string) stage.Batches { return s.part.Table(s.ctx, name) }
func (s indexSource) File(name string) (io.ReaderAt, int64, error) {
	return s.part.File(name)
}
