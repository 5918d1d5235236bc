package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/internal/interrupt"
	"github.com/accelsim-dev/accelsim/internal/output"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/sweep"
)

// Limits to the points of a sweep. Each takes up to 2.6 kB of memory until the
// tables are written.
const (
	pointsWithoutYes = 10_000
	pointsAtMost     = 1_000_000
)

// sweepMemory is what all of them fit in: from there on the garbage collector
// works harder rather than let the heap grow to twice its size.
const sweepMemory = 4_000_000_000

// boundMemory sets that limit, unless the user has set another.
func boundMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(sweepMemory)
	}
}

// What --emit prints.
const (
	emitSlurm      = "slurm"
	emitKubernetes = "kubernetes"
)

// gridFlags say what to sweep.
type gridFlags struct {
	file   string
	axes   map[string]*[]string
	set    []string
	timing string
	engine string
	energy string
	yes    bool
}

func (f *gridFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.file, "grid", "", "file with axes and points (YAML); flags override it")
	f.axes = map[string]*[]string{}
	for _, a := range []struct{ name, usage string }{
		{"net", "networks or workload files"},
		{"dataset", "datasets"},
		{"timesteps", "time steps T"},
		{"batch", "samples of an iteration"},
		{"rule", "training rules, or rule files"},
		{"classifier", "trainable, random"},
		{"activity", "densities of spikes, or files"},
		{"traffic", "all, equations"},
		{"residency", "layer, resident: what stays on chip"},
		{"skip-unread", "no, yes: leave out stores that nothing reads"},
		{"schedule", "sequential, pipelined"},
		{"hw", "hardware, or hardware files (default paper)"},
		{"k", "truncation intervals: numbers, 1..8, all (divisors of T), max (T; the default, if the rule has none)"},
		{"n", "layers of a local block: numbers, 1..8, all, max (N; the default, if the rule has none)"},
	} {
		f.axes[a.name] = flags.StringSlice(a.name, nil, a.usage)
	}
	flags.StringArrayVar(&f.set, "set", nil, "values of a key of the hardware file: dram.device=ddr4-2400,hbm2; again for another key, or for more values")
	flags.StringVar(&f.timing, "timing", "on", "on, or off to count without cycles and energy")
	flags.StringVar(&f.engine, "dram-engine", "stream", "stream, or reference which places every command; same result")
	flags.StringVar(&f.energy, "energy", "", "file that replaces energies per operation and access (default the hardware's)")
	flags.BoolVar(&f.yes, "yes", false, fmt.Sprintf("run more than %s points", report.Integer(pointsWithoutYes)))
}

// plan reads the grid and resolves its points.
func (f *gridFlags) plan(c *cobra.Command) (*sweep.Plan, error) {
	spec := &sweep.Spec{}
	if f.file != "" {
		text, err := input.Text(f.file)
		if err != nil {
			return nil, usage(fmt.Errorf("--grid: %w", err))
		}
		if spec, err = sweep.ReadSpec(text, f.file); err != nil {
			return nil, usage(err)
		}
	}
	for _, name := range sweep.Axes {
		if !c.Flags().Changed(name) {
			continue
		}
		a, err := sweep.NewAxis(name, *f.axes[name])
		if err != nil {
			return nil, usage(fmt.Errorf("--%w", err))
		}
		spec.Override(a)
	}
	settings, err := sweep.ParseSettings(f.set)
	if err != nil {
		return nil, usage(fmt.Errorf("--set: %w", err))
	}
	for _, a := range settings {
		spec.Override(a)
	}
	fixed, err := f.fixed()
	if err != nil {
		return nil, err
	}
	limit := int64(pointsWithoutYes)
	if f.yes {
		limit = pointsAtMost
	}
	p, err := sweep.NewPlan(spec, fixed, limit)
	var tooMany *sweep.TooMany
	if errors.As(err, &tooMany) && !f.yes {
		err = fmt.Errorf("%w; add --yes if you mean it", err)
	}
	return p, usage(err)
}

func (f *gridFlags) fixed() (sweep.Fixed, error) {
	on := machineFlags{hw: "paper", traffic: "all", order: "sequential", timing: f.timing, engine: f.engine, residency: "layer"}
	m, err := on.open()
	if err != nil {
		return sweep.Fixed{}, err
	}
	table, err := openEnergy(f.energy)
	options := sim.Options{Untimed: m.untimed, Engine: m.engine, Energy: table}
	return sweep.Fixed{Version: accelsim.Identity(), Options: options}, err
}

// shardFlags say which part to run, and how elsewhere.
type shardFlags struct {
	shard, emit, image, claim string
	shards, cpus              int
}

func (f *shardFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.shard, "shard", "", "run only this part, such as 2/8 (default: what a Slurm array or a Kubernetes Indexed Job says)")
	flags.IntVar(&f.shards, "shards", 0, "parts, numbered from 0 by SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX")
	flags.StringVar(&f.emit, "emit", "", "print a job script for --shards parts instead of running: slurm or kubernetes")
	flags.IntVar(&f.cpus, "cpus", 1, "with --emit: CPUs of each shard")
	flags.StringVar(&f.image, "image", "accelsim:latest", "with --emit kubernetes: container image with accelsim in it")
	flags.StringVar(&f.claim, "claim", "accelsim", "with --emit kubernetes: PersistentVolumeClaim that holds the current folder")
}

// check refuses numbers of parts that no sweep has.
func (f *shardFlags) check() error {
	if f.shards < 0 || f.shards > sweep.MaxShards {
		return usage(fmt.Errorf("--shards %d; write the number of parts, up to %d", f.shards, sweep.MaxShards))
	}
	return nil
}

// pick returns the shard to run, and what told so.
func (f *shardFlags) pick() (s sweep.Shard, from string, err error) {
	if err := f.check(); err != nil {
		return s, "", err
	}
	if f.shard == "" {
		s, from, err = sweep.FromEnvironment(os.Getenv, f.shards)
		if err == nil && from == "" && f.shards > 1 {
			err = errors.New("--shards says how many parts, but not which: add --shard, or run it as a job array (--emit)")
		}
		return s, from, usage(err)
	}
	if s, err = sweep.ParseShard(f.shard); err != nil {
		return s, "", usage(fmt.Errorf("--shard: %w", err))
	}
	if f.shards != 0 && f.shards != s.Count {
		return s, "", usage(fmt.Errorf("--shard %s is not one of --shards %d", s, f.shards))
	}
	return s, "--shard", nil
}

// print writes the job script for the command line that is running.
func (f *shardFlags) print(w io.Writer, c *cobra.Command, args []string, out string) error {
	if f.shards < 1 || out == "" {
		return usage(errors.New("--emit needs --shards and --out"))
	}
	if err := f.check(); err != nil {
		return err
	}
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	program := "accelsim"
	if f.emit == emitSlurm {
		if program, err = os.Executable(); err != nil {
			return err
		}
	}
	job := sweep.Job{
		Shards: f.shards, Command: append([]string{program}, withoutEmit(args)...),
		Out: out, Folder: folder, Image: f.image, Claim: f.claim, CPUs: f.cpus,
	}
	switch f.emit {
	case emitSlurm:
		return job.WriteSlurm(w)
	case emitKubernetes:
		return job.WriteKubernetes(w)
	}
	return usage(fmt.Errorf("--emit %q; write %s or %s", f.emit, emitSlurm, emitKubernetes))
}

// withoutEmit removes what only concerns the job script.
func withoutEmit(args []string) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		switch name {
		case "--emit", "--image", "--claim", "--cpus":
			if !joined {
				i++
			}
			continue
		}
		kept = append(kept, args[i])
	}
	return kept
}

func newSweepCommand() *cobra.Command {
	var grid gridFlags
	var part shardFlags
	var view viewFlags
	var out string
	var workers int
	c := &cobra.Command{
		Use:   "sweep --net NET [--k ..] [--n ..] [--hw ..] [--set KEY=..] [--grid FILE]",
		Short: "Evaluate a grid of design points; resumable, on all cores or a cluster",
		Example: "  accelsim sweep --net alexnet --k 1,2,5,10 --n 1,2,4,8 --out results\n" +
			"  accelsim sweep --net alexnet --k all --n all --set dram.device=ddr4-2400,hbm2 --pareto cycles,energy\n" +
			"  accelsim sweep --grid grid.yaml --out results --where 'status = ok and time < 90s' --sort energy\n" +
			"  accelsim sweep --grid grid.yaml --out results --shards 8 --emit slurm > sweep.sh",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			boundMemory()
			plan, err := grid.plan(c)
			if err != nil {
				return err
			}
			if err := view.open(c, plan.Inputs); err != nil {
				return err
			}
			if err := view.prune(plan); err != nil {
				return err
			}
			if part.emit != "" {
				return part.print(c.OutOrStdout(), c, os.Args[1:], out)
			}
			shard, from, err := part.pick()
			if err != nil {
				return err
			}
			if shard != sweep.Whole && out == "" {
				return usage(fmt.Errorf("shard %s (%s) needs --out, a folder that keeps its results", shard, from))
			}
			if workers < 0 {
				return usage(fmt.Errorf("--workers %d; write a number from 1, or 0 for all CPUs", workers))
			}
			if workers == 0 {
				workers = runtime.GOMAXPROCS(0)
			}
			warnOfIdleFlags(c)
			warnOfNotations(plan)
			r := &sweeping{plan: plan, out: out, shard: shard, workers: workers}
			ctx, stop := interrupt.Context(c.Context())
			err = r.run(ctx)
			stop()
			if err != nil {
				return err
			}
			if shard != sweep.Whole {
				say("shard %s is complete; when all are: accelsim sweep merge %s", shard, out)
				return nil
			}
			return view.finish(c.OutOrStdout(), plan, r.records, out)
		},
	}
	flags := c.Flags()
	grid.register(c)
	part.register(c)
	view.register(c)
	folderFlag(c, &out, "out", "folder that keeps finished points, results.csv and results.parquet; run again to resume", sweepTables...)
	flags.IntVar(&workers, "workers", 0, "points at a time (default all CPUs)")
	c.AddCommand(newMergeCommand())
	return c
}

// warnOfNotations says which networks other tools read otherwise, each once.
func warnOfNotations(p *sweep.Plan) {
	said := map[string]bool{}
	for _, s := range p.Subjects {
		if note := s.Note; note != "" && !said[note] {
			said[note] = true
			say("warning: %s: %s", s.Given, note)
		}
	}
}

// sweeping is a sweep under way.
type sweeping struct {
	plan    *sweep.Plan
	out     string // "" keeps nothing
	shard   sweep.Shard
	workers int
	records *sweep.Records
}

// run evaluates the shard's points that are not finished yet.
func (s *sweeping) run(ctx context.Context) (err error) {
	points := s.shard.Of(s.plan.Points)
	s.records = sweep.NewRecords()
	if s.out != "" {
		if err := s.resume(); err != nil {
			return err
		}
	}
	var todo []*sweep.Point
	for _, p := range points {
		if !s.records.Has(p.Key) {
			todo = append(todo, p)
		}
	}
	s.announce(len(points), len(todo))
	if len(todo) == 0 {
		return nil
	}
	var journal *sweep.Journal
	if s.out != "" {
		if journal, err = sweep.NewJournal(s.out, s.plan, s.shard); err != nil {
			return usage(fmt.Errorf("--out: %w", err))
		}
		defer func() { err = errors.Join(err, journal.Close()) }()
	}
	show := newSweepProgress(os.Stderr, len(todo))
	heard := context.AfterFunc(ctx, func() {
		show.say(fmt.Sprintf("%v: stopping the points under way; %s; another signal ends at once", context.Cause(ctx), s.kept()))
	})
	defer heard()
	err = sweep.Run(ctx, s.plan, todo, sweep.Settings{Workers: s.workers, Finish: func(r sweep.Record) error {
		s.records.Add(r)
		show.finished(r.Status)
		if journal == nil {
			return nil
		}
		return journal.Append(r)
	}})
	show.end()
	if errors.As(err, new(interrupt.Signal)) {
		err = fmt.Errorf("%w with %d of %d points finished; %s", err, len(points)-len(todo)+show.done, len(points), s.kept())
	}
	return err
}

// kept says what is left of a sweep that ends early.
func (s *sweeping) kept() string {
	if s.out == "" {
		return "without --out nothing is kept"
	}
	return "what is finished is kept in " + s.out + ", from where the same command goes on"
}

// resume saves the plan and reads what earlier runs finished.
func (s *sweeping) resume() error {
	if err := s.plan.Save(s.out); err != nil {
		return usage(fmt.Errorf("--out: %w", err))
	}
	others, err := otherVersions(s.out, s.plan.Fixed.Version)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		say("%s also holds points of other versions of the program (%s): kept apart, not used",
			s.out, strings.Join(others, ", "))
	}
	before, err := sweep.ReadJournals([]string{s.out}, s.plan.Fixed.Version)
	if err != nil {
		return err
	}
	for _, c := range before.Corrupt {
		say("warning: corrupt: %s; points that it held are simulated again", c)
	}
	s.records = before.Records
	return nil
}

func otherVersions(dir, version string) (others []string, err error) {
	all, err := sweep.Versions(dir)
	for _, v := range all {
		if v != version {
			others = append(others, v)
		}
	}
	return others, err
}

func (s *sweeping) announce(points, todo int) {
	text := plural(len(s.plan.Points), "point")
	if s.plan.Twice > 0 {
		text += fmt.Sprintf(" (%s named twice)", report.Integer(s.plan.Twice))
	}
	if s.shard != sweep.Whole {
		text += fmt.Sprintf(", shard %s: %s", s.shard, report.Integer(points))
	}
	if todo < points {
		text += fmt.Sprintf(", %s finished before", report.Integer(points-todo))
	}
	say("%s, %s to do", text, report.Integer(todo))
}

func newMergeCommand() *cobra.Command {
	var view viewFlags
	var out string
	c := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Unite the shards of a sweep and say what is missing",
		Example: "  accelsim sweep merge results\n" +
			"  accelsim sweep merge node1/results node2/results --out results",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(errors.New("merge needs the folders that the shards wrote to (--out)"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, dirs []string) error {
			boundMemory()
			if out == "" {
				out = dirs[0]
				if err := output.Check([]output.Place{{Flag: out, Path: out, Folder: true, Files: sweepTables}}, nil); err != nil {
					return usage(err)
				}
			}
			version, err := versionOf(dirs)
			if err != nil {
				return err
			}
			m, err := sweep.Merge(dirs, version)
			if err != nil {
				return usage(err)
			}
			if err := view.open(c, m.Plan.Inputs); err != nil {
				return err
			}
			for _, corrupt := range m.Corrupt {
				say("corrupt: %s; the rest is merged", corrupt)
			}
			err = view.finish(c.OutOrStdout(), m.Plan, m.Records, out)
			if len(m.Missing) > 0 {
				return errors.Join(errors.New(missing(m)), err)
			}
			if err == nil {
				say("complete: all %s points are in %s",
					report.Integer(len(m.Plan.Points)), filepath.Join(out, "results.csv"))
			}
			return err
		},
	}
	view.register(c)
	folderFlag(c, &out, "out", "folder to write results.csv and results.parquet to (default the first DIR)", sweepTables...)
	return c
}

// versionOf picks the version of the program whose results to merge: this
// one's, or else the only one there is.
func versionOf(dirs []string) (string, error) {
	own, seen := accelsim.Identity(), map[string]bool{}
	var others []string
	for _, dir := range dirs {
		if _, err := os.Stat(dir); err != nil {
			return "", usage(err)
		}
		all, err := sweep.Versions(dir)
		if err != nil {
			return "", err
		}
		for _, v := range all {
			if v != own && !seen[v] {
				others = append(others, v)
			}
			seen[v] = true
		}
	}
	switch {
	case seen[own] && len(others) > 0:
		say("points of other versions of the program (%s) are there too: kept apart, not merged", strings.Join(others, ", "))
		return own, nil
	case len(others) == 1:
		say("merging points of version %s; this program is %s", others[0], own)
		return others[0], nil
	case len(others) > 1:
		return "", usage(fmt.Errorf("there are points of versions %s, none of this program's (%s); merge with the program that made them",
			strings.Join(others, ", "), own))
	case !seen[own]:
		return "", usage(fmt.Errorf("there is no sweep in %s", strings.Join(dirs, ", ")))
	}
	return own, nil
}

// missing says what a merged sweep lacks, and how to get it.
func missing(m *sweep.Merged) string {
	text := fmt.Sprintf("%s of %s points are missing", report.Integer(len(m.Missing)), report.Integer(len(m.Plan.Points)))
	for i, l := range m.Ragged {
		if i == 8 {
			text += fmt.Sprintf("; and %d more shards", len(m.Ragged)-i)
			break
		}
		begun := ""
		if !l.Begun {
			begun = ", it left nothing"
		}
		text += fmt.Sprintf("; shard %s: %d of %d (array task %d%s)", l.Shard, l.Lacks, l.Points, l.Shard.Task(), begun)
	}
	first := m.Missing[0]
	var values []string
	for i, name := range m.Plan.Inputs {
		if v := first.Value(i); v != "" {
			values = append(values, name+"="+v)
		}
	}
	return text + "; the first is " + strings.Join(values, " ") + "; run those shards again"
}
