package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/dram"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/units"
)

// dramFlags select a device, what is asked of it, and by which engine.
type dramFlags struct {
	device, config, mapping string
	trace, pattern          string
	requests, step          int64
	seed                    uint64
	engine                  string
}

func (f *dramFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.device, "device", "", "built-in device ("+strings.Join(dram.Names(), ", ")+")")
	flags.StringVar(&f.config, "config", "", "device file in DRAMsim3's .ini format")
	flags.StringVar(&f.mapping, "mapping", "", "address mapping (default the device's), such as rorabacobgch")
	flags.StringVar(&f.trace, "trace", "", `trace file, "0xADDR READ|WRITE CYCLE" a line`)
	flags.StringVar(&f.pattern, "pattern", "", strings.Join(dram.PatternKinds(), ", "))
	flags.Int64Var(&f.requests, "requests", 1_000_000, "requests of a pattern")
	flags.Int64Var(&f.step, "step", 0, "bytes from one request of a stream to its next (default one burst)")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of random and randmix")
	flags.StringVar(&f.engine, "dram-engine", "stream", "stream, or reference which places every command; same result")
}

func newDRAMCommand() *cobra.Command {
	var ask dramFlags
	var output outputFlags
	c := &cobra.Command{
		Use:   "dram (--device NAME | --config FILE.ini) (--pattern PATTERN | --trace FILE)",
		Short: "Run the DRAM model alone, on a trace or a pattern",
		Example: "  accelsim dram --device ddr4-2400 --pattern seqread --requests 1000000000\n" +
			"  accelsim dram --config DDR4_8Gb_x8_2400.ini --trace requests.trace --format json",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := output.check(); err != nil {
				return err
			}
			controller, closeTrace, err := ask.open(c)
			if err != nil {
				return err
			}
			defer closeTrace()
			warnOfIdleFlags(c)
			took, err := ask.serve(controller)
			if err != nil {
				return err
			}
			r := newDRAMReport(controller, took)
			r.Seed = ask.seed
			return output.print(c.OutOrStdout(), r, r.write, nil)
		},
	}
	ask.register(c)
	output.register(c)
	return c
}

// open returns a controller about to serve what the flags ask for.
func (f *dramFlags) open(c *cobra.Command) (*dram.Controller, func() error, error) {
	given := c.Flags().Changed
	none := func() error { return nil }
	if given("trace") == given("pattern") {
		return nil, nil, usage(fmt.Errorf("give either --trace FILE or --pattern, one of %s", strings.Join(dram.PatternKinds(), ", ")))
	}
	for _, flag := range []string{"requests", "step"} {
		if given("trace") && given(flag) {
			return nil, nil, usage(fmt.Errorf("--%s is for --pattern; a trace says itself what it requests", flag))
		}
	}
	if given("step") && f.step < 1 {
		return nil, nil, usage(fmt.Errorf("--step %d; write at least 1 byte", f.step))
	}
	engine := dram.Fast
	reference, err := choice("dram-engine", f.engine, "stream", "reference")
	if err != nil {
		return nil, nil, err
	}
	if reference {
		engine = dram.Reference
	}
	d, err := f.openDevice(c)
	if err != nil {
		return nil, nil, err
	}
	if given("pattern") {
		controller, err := dram.NewPattern(d, dram.Pattern{
			Kind: f.pattern, Requests: f.requests, Step: units.Bytes(f.step), Seed: f.seed,
		}, engine)
		return controller, none, usage(err)
	}
	file, err := os.Open(f.trace)
	if err != nil {
		return nil, nil, usage(fmt.Errorf("--trace: %w", err))
	}
	controller, err := dram.NewTrace(d, file, f.trace)
	if err != nil {
		return nil, nil, usage(errors.Join(err, file.Close()))
	}
	return controller, file.Close, nil
}

// openDevice returns the device that the flags name.
func (f *dramFlags) openDevice(c *cobra.Command) (d dram.Device, err error) {
	given := c.Flags().Changed
	switch {
	case given("device") == given("config"):
		return d, usage(fmt.Errorf("give either --config FILE.ini or --device, one of %s", strings.Join(dram.Names(), ", ")))
	case given("device"):
		if d, err = dram.Lookup(f.device); err != nil {
			return d, usage(fmt.Errorf("--device: %w", err))
		}
	default:
		text, err := input.Text(f.config)
		if err != nil {
			return d, usage(fmt.Errorf("--config: %w", err))
		}
		var remarks dram.Remarks
		if d, remarks, err = dram.ReadINI(bytes.NewReader(text), f.config); err != nil {
			return d, usage(err)
		}
		if len(remarks.Defaults) > 0 {
			say("warning: %s does not give these, so DRAMsim3's defaults hold: %s", f.config, strings.Join(remarks.Defaults, ", "))
		}
		for _, note := range remarks.Notes {
			say("warning: %s", note)
		}
	}
	if given("mapping") {
		d = d.WithMapping(f.mapping)
		if err := d.Validate(); err != nil {
			return d, usage(fmt.Errorf("--mapping: %w", err))
		}
	}
	return d, nil
}

// serve runs a controller to its end and returns the wall time it took.
func (f *dramFlags) serve(controller *dram.Controller) (time.Duration, error) {
	total := f.requests
	if f.trace != "" {
		total = -1 // not known before its end
	}
	progress := newProgress(os.Stderr, "requests")
	defer progress.finish()
	began := time.Now()
	for {
		more, err := controller.Advance(1 << 18)
		if err != nil {
			return 0, usage(err)
		}
		if !more {
			return time.Since(began), nil
		}
		progress.step(controller.Done(), total)
	}
}

// dramReport is the result of `accelsim dram`.
type dramReport struct {
	Schema               string             `json:"schema"`
	Device               string             `json:"device"`
	Seed                 uint64             `json:"seed"`
	Cycles               units.Cycles       `json:"cycles"` // of the memory clock
	Seconds              float64            `json:"seconds"`
	Reads                int64              `json:"reads"`
	Writes               int64              `json:"writes"`
	Activates            int64              `json:"activates"`
	Precharges           int64              `json:"precharges"`
	Refreshes            units.Total[int64] `json:"refreshes"`
	BankRefreshes        units.Total[int64] `json:"bank_refreshes"`
	RowHitRate           float64            `json:"row_hit_rate"`
	BandwidthUtilisation float64            `json:"bandwidth_utilisation"`
	BytesPerSecond       float64            `json:"bytes_per_second"`
	Energy               dramEnergyReport   `json:"energy_pj"`
	WallSeconds          float64            `json:"wall_seconds"`
	RequestsPerSecond    float64            `json:"requests_per_second"`
}

type dramEnergyReport struct {
	Total      units.Picojoules `json:"total"`
	Activate   units.Picojoules `json:"activate"`
	Read       units.Picojoules `json:"read"`
	Write      units.Picojoules `json:"write"`
	Refresh    units.Picojoules `json:"refresh"`
	Background units.Picojoules `json:"background"`
	VPP        units.Picojoules `json:"vpp"`
	IO         units.Picojoules `json:"io"`
}

func newDRAMReport(c *dram.Controller, took time.Duration) *dramReport {
	d, s := c.Device(), c.Stats()
	e := d.Energy(s)
	seconds := units.Seconds(units.TotalOf(d.Clock).Times(int64(c.Elapsed())))
	r := &dramReport{
		Schema:               "accelsim.dram/1",
		Device:               d.Name,
		Cycles:               c.Elapsed(),
		Seconds:              seconds,
		Reads:                s.Reads,
		Writes:               s.Writes,
		Activates:            s.Activates,
		Precharges:           s.Precharges,
		Refreshes:            s.Refreshes,
		BankRefreshes:        s.BankRefreshes,
		RowHitRate:           s.RowHitRate(),
		BandwidthUtilisation: c.BandwidthUtilisation(),
		Energy: dramEnergyReport{
			Total: e.Total(), Activate: e.Activate, Read: e.Read, Write: e.Write,
			Refresh: e.Refresh, Background: e.Background, VPP: e.VPP, IO: e.IO,
		},
		WallSeconds: took.Seconds(),
	}
	if seconds > 0 {
		r.BytesPerSecond = float64(s.Reads+s.Writes) * float64(d.BurstBytes()) / seconds
	}
	if r.WallSeconds > 0 {
		r.RequestsPerSecond = float64(c.Done()) / r.WallSeconds
	}
	return r
}

func (r *dramReport) write(w io.Writer) error {
	t := &report.Table{Header: []string{r.Device, "value", ""}, Left: []int{2}}
	number := func(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	t.Add("cycles", report.Integer(r.Cycles), "memory clocks")
	t.Add("time", number(r.Seconds*1e6, 3), "us")
	t.Add("reads", report.Integer(r.Reads), "bursts")
	t.Add("writes", report.Integer(r.Writes), "bursts")
	t.Add("activates", report.Integer(r.Activates), "")
	t.Add("precharges", report.Integer(r.Precharges), "")
	t.Add("refreshes", report.Total(r.Refreshes), "all banks of a rank")
	if r.BankRefreshes.Sign() > 0 {
		t.Add("bank refreshes", report.Total(r.BankRefreshes), "")
	}
	t.Add("row hit rate", report.Percent(100*r.RowHitRate), "of column commands")
	t.Add("bandwidth", report.Rate(r.BytesPerSecond), "")
	t.Add("bandwidth utilisation", report.Percent(100*r.BandwidthUtilisation), "of the data buses")
	for _, class := range []struct {
		name string
		pj   units.Picojoules
	}{
		{"energy", r.Energy.Total},
		{"  activate", r.Energy.Activate},
		{"  read", r.Energy.Read},
		{"  write", r.Energy.Write},
		{"  refresh", r.Energy.Refresh},
		{"  background", r.Energy.Background},
		{"  VPP", r.Energy.VPP},
		{"  I/O", r.Energy.IO},
	} {
		t.Add(class.name, number(float64(class.pj)*1e-6, 3), "uJ")
	}
	t.Add("simulated", number(r.RequestsPerSecond/1e6, 2), "million requests a second")
	return t.Write(w)
}
