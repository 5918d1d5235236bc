package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
)

// openEnergy reads what --energy names; "" is no table, so that the hardware's
// holds.
func openEnergy(name string) (energy.Table, error) {
	if name == "" {
		return energy.Table{}, nil
	}
	table, err := energy.Open(name)
	if errors.As(err, new(*os.PathError)) {
		err = fmt.Errorf("--energy: %w", err)
	}
	return table, usage(err)
}

// openEnergyFor reads a table for one machine, and says once which of its values
// that does not read.
func openEnergyFor(machine *hardware.Hardware, name string) (energy.Table, error) {
	table, err := openEnergy(name)
	if err != nil {
		return table, err
	}
	idle, err := table.Idle(machine.PE.Precision)
	if err != nil {
		return table, usage(err)
	}
	if len(idle) > 0 {
		var keys []string
		for _, g := range idle {
			keys = append(keys, g.Key)
		}
		say("warning: %s: changes nothing on %s, whose PEs compute in %s: %s",
			name, machine.Name, machine.PE.Precision, strings.Join(keys, ", "))
	}
	return table, nil
}
