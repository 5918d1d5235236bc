package sweep

import (
	"errors"
	"fmt"
	"strings"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/pe"
)

// machine is hardware, or why there is none.
type machine struct {
	text     []byte // of the file, before the settings
	filename string
	settings []Setting
	content  Key
	hardware *hardware.Hardware // while it is resolved
	computes pe.Precision
	err      error
}

// machine reads the hardware of a combination; its file, once.
func (r *resolver) machine(g Grid, chosen map[string]string) *machine {
	var settings []Setting
	for _, a := range g.ordered() {
		if a.Hardware {
			settings = append(settings, Setting{a.Name, chosen[a.Name]})
		}
	}
	key := content([]any{chosen[axisHardware], settings})
	m := r.machines[key]
	if m == nil {
		m = &machine{settings: settings}
		r.machines[key] = m
		m.text, m.filename, m.err = r.hardware.read(chosen[axisHardware], hardware.Source)
	}
	if m.hardware == nil && m.err == nil {
		if m.hardware, m.err = m.read(); m.err == nil {
			m.content = content(m.hardware)
			m.computes = m.hardware.PE.Precision
		}
	}
	return m
}

// read parses the file with the settings made.
func (m *machine) read() (*hardware.Hardware, error) {
	file, err := hardware.Parse(m.text, m.filename)
	if err != nil {
		return nil, err
	}
	var with []string
	for _, s := range m.settings {
		if file, err = s.apply(file); err != nil {
			return nil, fmt.Errorf("%s: %w", m.filename, err)
		}
		with = append(with, s.Key+"="+s.Value)
	}
	h, err := hardware.Decode(file)
	var wrong *config.Error
	if len(with) > 0 && errors.As(err, &wrong) {
		// The file's lines do not have the settings.
		return nil, &config.Error{File: m.filename + " with " + strings.Join(with, ", "), Key: wrong.Key, Err: wrong.Err}
	}
	return h, err
}

// again reads the hardware as it was planned, to simulate it: an energy table
// that it names may have changed since.
func (m *machine) again() (*hardware.Hardware, error) {
	h, err := m.read()
	if err == nil && content(h) != m.content {
		err = fmt.Errorf("%s: a file that it names has changed since the sweep began", m.filename)
	}
	return h, err
}
