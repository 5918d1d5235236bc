// Package schemas lists the JSON Schemas of files that users write and of results
// that scripts read. Each comes from what reads or writes the file: a schema has no
// list of keys of its own.
package schemas

import (
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sweep"
)

// schema is a schema and its version, which is another where a file that was right is
// no longer.
type schema struct {
	name, version, title string
	of                   func() *config.Schema
}

var all = []schema{
	{"workload", "workload:1", "accelsim: a workload file", network.Schema},
	{"hardware", "hardware:1", "accelsim: a hardware file", hardware.Schema},
	{"energy", "energy:1", "accelsim: an energy table", energy.Schema},
	{"grid", "grid:1", "accelsim: a grid of a sweep", sweep.Schema},
	{"rule", "rule:1", "accelsim: a rule file", network.RuleSchema},
	{"result", "run:1", "accelsim: what run --format json prints", report.DescribeRun},
}

// Names lists the schemas.
func Names() (list []string) {
	for _, s := range all {
		list = append(list, s.name)
	}
	return list
}

// Write returns the schema of that name as JSON.
func Write(name string) ([]byte, error) {
	for _, s := range all {
		if s.name == name {
			return config.WriteSchema(s.of(), s.version, s.title)
		}
	}
	return nil, fmt.Errorf("no schema %q%s; there are %s", name, spelling.Suggest(name, Names()), strings.Join(Names(), ", "))
}
