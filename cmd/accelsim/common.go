package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/accelsim-dev/accelsim/hardware"
)

// idleFlag is a flag that a command accepts and that changes nothing in it. Scripts
// give all commands the same common flags; a user may think that they do something.
type idleFlag struct {
	command, flag string
	with          string // the flag, or flag=value, beside which it changes nothing; "" any
	without       string // the flag without which it changes nothing
	why           string
}

// always tells whether the flag changes nothing whatever stands beside it.
func (f idleFlag) always() bool { return f.with == "" && f.without == "" }

// given tells whether it stands on the command line and changes nothing.
func (f idleFlag) given(c *cobra.Command) bool {
	given := c.Flags().Changed
	return f.command == c.Name() && given(f.flag) && f.applies(c) && (f.without == "" || !given(f.without))
}

// applies tells whether the flag is there beside which this one changes nothing.
func (f idleFlag) applies(c *cobra.Command) bool {
	name, value, valued := strings.Cut(f.with, "=")
	return name == "" || c.Flags().Changed(name) && (!valued || c.Flags().Lookup(name).Value.String() == value)
}

const (
	noMachine = "a golden trainer has no machine"
	listsOnly = "a schedule is listed, not executed"
	noSpikes  = "Verilog is written for any spikes"
	noDraw    = "nothing is drawn at random"
	untimed   = "energy comes with time"
)

var idleFlags = []idleFlag{
	{command: "run", flag: "activity", with: "tensors", why: "densities are those of the tensors"},
	{command: "run", flag: "energy", with: "timing=off", why: untimed},
	{command: "run", flag: "seed", why: noDraw},
	{command: "train", flag: "activity", why: "densities are measured; --activity-out writes them"},
	{command: "train", flag: "hw", why: noMachine},
	{command: "train", flag: "timing", why: noMachine},
	{command: "train", flag: "traffic", why: noMachine},
	{command: "train", flag: "seed", with: "tensors", why: noDraw},
	{command: "train", flag: "seed", with: "bench", why: "the cases have seeds of their own"},
	{command: "verify", flag: "activity", why: "densities are those of the tensors"},
	{command: "verify", flag: "energy", why: "values are compared, not energies"},
	{command: "verify", flag: "seed", with: "tensors", why: noDraw},
	{command: "sweep", flag: "energy", with: "timing=off", why: untimed},
	{command: "sweep", flag: "seed", why: noDraw},
	{command: "figures", flag: "seed", why: noDraw},
	{command: "figures", flag: "timing", why: "what the figures show is simulated"},
	{command: "figures", flag: "traffic", why: "an idealised and a real machine are simulated"},
	{command: "schedule", flag: "activity", why: "operations are listed, not counted"},
	{command: "schedule", flag: "hw", why: listsOnly},
	{command: "schedule", flag: "timing", why: listsOnly},
	{command: "schedule", flag: "seed", why: noDraw},
	{command: "dram", flag: "seed", with: "trace", why: noDraw},
	{command: "hdl", flag: "activity", why: noSpikes},
	{command: "hdl", flag: "timing", why: noSpikes},
	{command: "hdl", flag: "traffic", why: noSpikes},
	{command: "run", flag: "perfetto-steps", without: "perfetto", why: "it says how many steps that file has"},
	{command: "run", flag: "dram-trace-requests", without: "dram-trace", why: "it says how many requests that file has"},
	{command: "train", flag: "checkpoint-every", without: "checkpoint", why: "it says when that file is written"},
	{command: "sweep", flag: "cpus", without: "emit", why: "it is for job scripts; --workers is for this machine"},
	{command: "sweep", flag: "image", without: "emit", why: "it is for job scripts"},
	{command: "sweep", flag: "claim", without: "emit", why: "it is for job scripts"},
	{command: "figures", flag: "capacities", without: "only", why: "the figure comes with --only capacity"},
}

// acceptIdleFlags adds to a command the common flags that change nothing in it,
// where it does not have them.
func acceptIdleFlags(c *cobra.Command) {
	for _, f := range idleFlags {
		if f.command != c.Name() || !f.always() {
			continue
		}
		text := "no effect here: " + f.why
		if known := c.Flags().Lookup(f.flag); known != nil {
			known.Usage = text
			continue
		}
		switch f.flag {
		case "seed":
			c.Flags().Uint64("seed", 1, text)
		case "hw":
			c.Flags().String("hw", "paper", text)
		case "timing":
			c.Flags().String("timing", "on", text)
		case "traffic":
			c.Flags().String("traffic", "all", text)
		}
	}
}

// checkFlags refuses what no command accepts: a value that is empty, as from a
// variable of a script that was never set, and wrong values of flags that change nothing.
func checkFlags(c *cobra.Command) error {
	var empty error
	c.Flags().Visit(func(f *pflag.Flag) {
		if value := f.Value.String(); empty == nil && (value == "" || value == "[]") {
			empty = usage(fmt.Errorf("--%s is empty; leave it out, or write %s", f.Name, f.Usage))
		}
	})
	if empty != nil {
		return empty
	}
	return checkIdleFlags(c)
}

// checkIdleFlags refuses values that no command would accept.
func checkIdleFlags(c *cobra.Command) error {
	for _, f := range idleFlags {
		if f.command != c.Name() || !f.always() {
			continue
		}
		value := c.Flags().Lookup(f.flag).Value.String()
		var err error
		switch f.flag {
		case "hw":
			_, err = hardware.Open(value)
			err = usage(err)
		case "timing":
			_, err = choice("timing", value, "on", "off")
		case "traffic":
			_, err = choice("traffic", value, "all", "equations")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// warnOfIdleFlags says on stderr which of the flags that are given change
// nothing. Commands call it when everything is checked and the work begins.
func warnOfIdleFlags(c *cobra.Command) {
	for _, f := range idleFlags {
		if !f.given(c) {
			continue
		}
		beside := ""
		switch {
		case f.with != "":
			beside = " with --" + f.with
		case f.without != "":
			beside = " without --" + f.without
		}
		say("warning: --%s changes nothing in %s%s: %s", f.flag, c.Name(), beside, f.why)
	}
}

// seedOf returns the seed that was given, nil without: results record it.
func seedOf(c *cobra.Command) *uint64 {
	if !c.Flags().Changed("seed") {
		return nil
	}
	seed, err := c.Flags().GetUint64("seed")
	if err != nil {
		return nil
	}
	return &seed
}
