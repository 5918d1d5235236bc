package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/units"
)

// taskFlags say what is trained and how it is cut.
type taskFlags struct {
	net, dataset, rule, classifier, activity string
	batch, timesteps, k, n                   int
}

func (f *taskFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.net, "net", "", "built-in network ("+strings.Join(network.Nets(), ", ")+") or workload file")
	flags.StringVar(&f.dataset, "dataset", "", "dataset whose T, encoding, channels, classes and hyper-parameters to use")
	flags.IntVar(&f.k, "k", 0, "truncation interval, a divisor of T (default the rule's, else T)")
	flags.IntVar(&f.n, "n", 0, "layers of a local block, 1..N (default the rule's, else N)")
	flags.IntVar(&f.batch, "batch", 0, "samples of an iteration (default the workload's)")
	flags.IntVar(&f.timesteps, "timesteps", 0, "time steps T (default the workload's)")
	if c.Name() != "hdl" {
		flags.StringVar(&f.rule, "rule", "", "built-in training rule ("+strings.Join(network.Rules(), ", ")+") or rule file")
	}
	flags.StringVar(&f.classifier, "classifier", "", "trainable or random (default the workload's)")
	flags.StringVar(&f.activity, "activity", "", "density of spikes: a number for all, or a file (default the workload's, else 0.1)")
}

// open returns the workload that the flags describe, with k and n.
func (f *taskFlags) open(c *cobra.Command) (w *network.Workload, k, n int, err error) {
	if f.net == "" {
		return nil, 0, 0, usage(fmt.Errorf("--net is missing; name one of %s, or a workload file", strings.Join(network.Nets(), ", ")))
	}
	if w, err = network.Open(f.net); err != nil {
		return nil, 0, 0, usage(err)
	}
	given := c.Flags().Changed
	if given("dataset") {
		if err := w.SetDataset(f.dataset); err != nil {
			return nil, 0, 0, usage(fmt.Errorf("--dataset: %w", err))
		}
	}
	for _, size := range []struct {
		flag  string
		value int
		of    *int
	}{{"batch", f.batch, &w.Batch}, {"timesteps", f.timesteps, &w.Timesteps}} {
		if !given(size.flag) {
			continue
		}
		if size.value < 1 {
			return nil, 0, 0, usage(fmt.Errorf("--%s %d; write a whole number of at least 1", size.flag, size.value))
		}
		*size.of = size.value
	}
	rule := new(network.NamedRule)
	if given("rule") {
		if rule, err = network.OpenRule(f.rule); err != nil {
			return nil, 0, 0, usage(fmt.Errorf("--rule: %w", err))
		}
		if err := rule.Apply(w); err != nil {
			return nil, 0, 0, usage(err)
		}
	}
	if given("classifier") {
		if _, err := choice("classifier", f.classifier, network.Trainable, network.Random); err != nil {
			return nil, 0, 0, err
		}
		w.Training.Classifier = f.classifier
	}
	if given("activity") {
		if err := w.SetActivity(f.activity); err != nil {
			return nil, 0, 0, usage(fmt.Errorf("--activity: %w", err))
		}
	}
	if err := w.Check(); err != nil {
		if errors.Is(err, units.ErrOverflow) {
			err = fmt.Errorf("%w; take a smaller batch, fewer time steps or smaller layers", err)
		}
		return nil, 0, 0, usage(fmt.Errorf("%s: %w", w.Name, err))
	}
	k, n = rule.K.Of(w.Timesteps), rule.N.Of(w.Net.N())
	if given("k") {
		k = f.k
	}
	if given("n") {
		n = f.n
	}
	if err := w.CheckInterval(k); err != nil {
		return nil, 0, 0, usage(err)
	}
	blocks, err := w.Net.Blocks(n)
	if err != nil {
		return nil, 0, 0, usage(err)
	}
	if err := w.Training.Rule.Check(k, blocks); err != nil {
		return nil, 0, 0, usage(err)
	}
	if note := w.Net.Misreadable(); note != "" {
		say("warning: %s", note)
	}
	return w, k, n, nil
}

// machineFlags say what it is trained on.
type machineFlags struct {
	hw, timing, traffic, residency, order, engine, energy string
	skipUnread                                            bool
}

func (f *machineFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.hw, "hw", "paper", "built-in hardware ("+strings.Join(hardware.Names(), ", ")+") or hardware file")
	flags.StringVar(&f.timing, "timing", "on", "on, or off to count without cycles and energy")
	flags.StringVar(&f.traffic, "traffic", "all", "all, or equations for only what Eqs. 11-17 cover")
	flags.StringVar(&f.residency, "residency", "layer",
		"layer: what one layer needs comes on chip with each step, as in the paper; or resident: the weights, gradients, states and "+
			"moments that save the most DRAM traffic for their size stay, as far as the layer buffer can spare the room")
	flags.BoolVar(&f.skipUnread, "skip-unread", false, skipUnreadUsage)
	flags.StringVar(&f.order, "schedule", "sequential", "sequential, or pipelined: the hardware's PE groups work on local blocks at once")
	flags.StringVar(&f.engine, "dram-engine", "stream", "stream, or reference which places every command; same result")
	flags.StringVar(&f.energy, "energy", "", "file that replaces energies per operation and access (default the hardware's)")
}

const skipUnreadUsage = "leave out stores that nothing reads, such as errors of an interval's first step"

// machine is what machineFlags select.
type machine struct {
	hardware  *hardware.Hardware
	untimed   bool
	traffic   schedule.Traffic
	residency sim.Residency
	order     schedule.Order
	engine    dram.Engine
	energy    energy.Table // of --energy; the zero Table is the hardware's
}

func (f *machineFlags) open() (m machine, err error) {
	if m.hardware, err = hardware.Open(f.hw); err != nil {
		return m, usage(err)
	}
	if m.untimed, err = choice("timing", f.timing, "on", "off"); err != nil {
		return m, err
	}
	equations, err := choice("traffic", f.traffic, "all", "equations")
	if err != nil {
		return m, err
	}
	m.traffic = schedule.Traffic(equations)
	m.residency.SkipUnread = f.skipUnread
	if m.residency.Resident, err = choice("residency", f.residency, "layer", "resident"); err != nil {
		return m, err
	}
	if equations && m.residency != (sim.Residency{}) {
		return m, usage(errors.New("--traffic equations: Eqs. 11-14 have nothing resident and store every result; " +
			"leave out --residency and --skip-unread"))
	}
	if m.order, err = schedule.ParseOrder(f.order); err != nil {
		return m, usage(fmt.Errorf("--%w", err))
	}
	reference, err := choice("dram-engine", f.engine, "stream", "reference")
	if err != nil {
		return m, err
	}
	if reference {
		m.engine = dram.Reference
	}
	m.energy, err = openEnergyFor(m.hardware, f.energy)
	return m, err
}

// choice reads a flag with two values and tells whether it is the second.
func choice(flag, value, first, second string) (bool, error) {
	if value != first && value != second {
		return false, usage(fmt.Errorf("--%s %q; write %s or %s", flag, value, first, second))
	}
	return value == second, nil
}

// explainFlag says what is wrong with a flag, and what would be accepted.
func explainFlag(c *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		name := "--" + unknown.GetSpecifiedName()
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			name = "-" + short
		}
		if name == "--version" || name == "-v" {
			return usage(fmt.Errorf("no flag %s; accelsim version prints which program this is", name))
		}
		err = fmt.Errorf("no flag %s%s; there are %s", name, spelling.Suggest(name, names), strings.Join(names, ", "))
	case errors.As(err, &missing):
		err = fmt.Errorf("--%s needs a value: %s", missing.GetFlag().Name, missing.GetFlag().Usage)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		kind, ok := map[string]string{"int": "a whole number", "int64": "a whole number", "float64": "a number", "uint64": "a whole number from 0", "bool": "true or false"}[f.Value.Type()]
		if !ok {
			break
		}
		if errors.Is(err, strconv.ErrRange) {
			kind += " that fits in 64 bits"
		}
		err = fmt.Errorf("--%s %q; write %s", f.Name, invalid.GetValue(), kind)
	}
	return usage(err)
}
