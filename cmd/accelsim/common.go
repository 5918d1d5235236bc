package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"accelsim/hardware"
)

// idleFlag is a common flag of a command in which it changes nothing. Scripts
// give all commands the same flags; a user may think that they do something.
type idleFlag struct {
	command, flag string
	with          string // the flag, or flag=value, beside which it changes nothing; "" always
	why           string
}

const (
	noMachine = "a golden trainer has no machine"
	listsOnly = "a schedule is listed, not executed"
	noSpikes  = "Verilog is written for any spikes"
	noDraw    = "nothing is drawn at random"
	untimed   = "energy comes with time"
)

var idleFlags = []idleFlag{
	{"run", "activity", "tensors", "densities are those of the tensors"},
	{"run", "energy", "timing=off", untimed},
	{"run", "seed", "", noDraw},
	{"train", "activity", "", "densities are measured; --activity-out writes them"},
	{"train", "hw", "", noMachine},
	{"train", "timing", "", noMachine},
	{"train", "traffic", "", noMachine},
	{"train", "seed", "tensors", noDraw},
	{"train", "seed", "bench", "the cases have seeds of their own"},
	{"verify", "activity", "", "densities are those of the tensors"},
	{"verify", "energy", "", "values are compared, not energies"},
	{"verify", "seed", "tensors", noDraw},
	{"sweep", "energy", "timing=off", untimed},
	{"sweep", "seed", "", noDraw},
	{"figures", "seed", "", noDraw},
	{"figures", "timing", "", "what the figures show is simulated"},
	{"figures", "traffic", "", "an idealised and a real machine are simulated"},
	{"schedule", "activity", "", "operations are listed, not counted"},
	{"schedule", "hw", "", listsOnly},
	{"schedule", "timing", "", listsOnly},
	{"schedule", "seed", "", noDraw},
	{"dram", "seed", "trace", noDraw},
	{"hdl", "activity", "", noSpikes},
	{"hdl", "timing", "", noSpikes},
	{"hdl", "traffic", "", noSpikes},
}

// acceptIdleFlags adds to a command the common flags that change nothing in it,
// where it does not have them.
func acceptIdleFlags(c *cobra.Command) {
	for _, f := range idleFlags {
		if f.command != c.Name() || f.with != "" {
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

// checkIdleFlags refuses values that no command would accept.
func checkIdleFlags(c *cobra.Command, _ []string) error {
	for _, f := range idleFlags {
		if f.command != c.Name() || f.with != "" {
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
		if f.command == c.Name() && c.Flags().Changed(f.flag) && f.applies(c) {
			beside := ""
			if f.with != "" {
				beside = " with --" + f.with
			}
			fmt.Fprintf(os.Stderr, "accelsim: warning: --%s changes nothing in %s%s: %s\n", f.flag, c.Name(), beside, f.why)
		}
	}
}

// applies tells whether the flag is there beside which this one changes nothing.
func (f *idleFlag) applies(c *cobra.Command) bool {
	name, value, valued := strings.Cut(f.with, "=")
	return name == "" || c.Flags().Changed(name) && (!valued || c.Flags().Lookup(name).Value.String() == value)
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
