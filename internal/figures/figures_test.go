package figures

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata, and README's table")

// measured is the album of all figures, simulated once for all tests.
var measured = sync.OnceValues(func() (*Album, error) {
	hw, err := hardware.Open("paper")
	if err != nil {
		return nil, err
	}
	a, err := New(nil, &Lab{Hardware: hw, Energy: energy.Default()}, PaperAccuracies())
	if err != nil {
		return nil, err
	}
	return a, a.Measure()
})

func album(t testing.TB) *Album {
	t.Helper()
	a, err := measured()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func figure(t testing.TB, name string) *Figure {
	t.Helper()
	for _, f := range album(t).Figures() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no figure %s", name)
	return nil
}

func hold(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-golden +got):\n%s", path, diff)
	}
}

// TestNumbers holds the numbers behind the figures to golden files.
func TestNumbers(t *testing.T) {
	for _, name := range []string{"figure06", "figure09", "figure13", "figure14", "figure15"} {
		t.Run(name, func(t *testing.T) { hold(t, name+".csv", figure(t, name).CSV()) })
	}
	t.Run("published", func(t *testing.T) { hold(t, "published.csv", PublishedCSV(album(t).Published())) })
}

// TestIdealisedMachineGivesTheEquations holds every published percentage that
// equations give, except GPU memory, to the simulated one, digit for digit.
func TestIdealisedMachineGivesTheEquations(t *testing.T) {
	simulated := 0
	for _, row := range album(t).Published() {
		if row.Ideal == "" || strings.Contains(row.Quantity, "GPU memory") {
			continue
		}
		simulated++
		if row.Ideal != row.Equations {
			t.Errorf("%s, %s: simulated %s, equations %s", row.Task, row.Quantity, row.Ideal, row.Equations)
		}
	}
	if simulated < 24 {
		t.Errorf("only %d published numbers were simulated", simulated)
	}
}

// TestRealMachineMovesMore tells that what the equations leave out is there.
func TestRealMachineMovesMore(t *testing.T) {
	for p, v := range album(t).Lab.values {
		if v.Real.Words <= v.Ideal.Words || v.Real.Adds <= v.Ideal.Adds || v.Real.Footprint <= v.Ideal.Footprint {
			t.Errorf("%+v: real %+v, idealised %+v", p, v.Real, v.Ideal)
		}
		if v.Real.Covered != v.Ideal.Covered {
			t.Errorf("%+v: covered counts differ between the machines", p)
		}
	}
}

const readmeBegin, readmeEnd = "<!-- published numbers: go test ./figures -update -->\n", "<!-- end -->\n"

// TestReadmeHasTheTable holds README's published numbers to the simulator.
func TestReadmeHasTheTable(t *testing.T) {
	const path = "../../README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), readmeBegin)
	got, after, ok2 := strings.Cut(rest, readmeEnd)
	if !ok || !ok2 {
		t.Fatalf("README.md has no %q .. %q", readmeBegin, readmeEnd)
	}
	want := string(PublishedMarkdown(album(t).Published()))
	if *update {
		if err := os.WriteFile(path, []byte(before+readmeBegin+want+readmeEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("README's table (-simulated +README):\n%s", diff)
	}
}

// TestFilesAreWhatTheyClaim reads every file back.
func TestFilesAreWhatTheyClaim(t *testing.T) {
	files, err := album(t).Files()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range files {
		have[f.Name] = true
		switch filepath.Ext(f.Name) {
		case ".png":
			image, err := png.Decode(bytes.NewReader(f.Data))
			if err != nil {
				t.Errorf("%s: %v", f.Name, err)
			} else if image.Bounds().Dx() < 1400 {
				t.Errorf("%s is %v: too coarse for print", f.Name, image.Bounds())
			}
		case ".svg":
			for d := xml.NewDecoder(bytes.NewReader(f.Data)); ; {
				_, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Errorf("%s: %v", f.Name, err)
					break
				}
			}
			if !bytes.Contains(f.Data, []byte("sans-serif")) || bytes.Contains(f.Data, []byte("NaN")) {
				t.Errorf("%s: no font to fall back on, or NaN", f.Name)
			}
		case ".csv":
			rows, err := csv.NewReader(bytes.NewReader(f.Data)).ReadAll()
			if err != nil || len(rows) < 2 {
				t.Errorf("%s: %d rows, %v", f.Name, len(rows), err)
			}
			if regexp.MustCompile(`NaN|Inf`).Match(f.Data) {
				t.Errorf("%s has NaN or Inf", f.Name)
			}
		}
	}
	for _, number := range []string{"06", "07", "09", "10", "11", "12", "13", "14", "15"} {
		for _, extension := range []string{"svg", "png", "csv"} {
			if name := "figure" + number + "." + extension; !have[name] {
				t.Errorf("%s is missing", name)
			}
		}
	}
	for _, name := range []string{"published.csv", "published.md", "index.md", "extra-time.svg", "extra-energy.csv"} {
		if !have[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestAllFiguresAreDeterministic draws twice.
func TestAllFiguresAreDeterministic(t *testing.T) {
	a, err := figure(t, "figure14").SVG()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := figure(t, "figure14").SVG()
	if !bytes.Equal(a, b) {
		t.Error("the same figure drew differently")
	}
}

// TestMissingAccuraciesAreNotInvented: outlined bars are no FoM.
func TestMissingAccuraciesAreNotInvented(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(figure(t, "figure14").CSV())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	for _, row := range rows[1:] {
		if (row[6] == "") != (row[7] == "") {
			t.Errorf("%v: a FoM without an accuracy, or the other way", row)
		}
		if row[6] != "" && row[2] != "BP" {
			given++
		}
	}
	if given != 4 {
		t.Errorf("%d methods have an accuracy; the paper's text gives 4", given)
	}
}

// TestAccuraciesDecide gives an accuracy for every design of one task.
func TestAccuraciesDecide(t *testing.T) {
	a := *album(t)
	var text strings.Builder
	text.WriteString("dataset,k,n,accuracy\n")
	emnist := Tasks[0]
	emnist.grid(func(k, n int) {
		accuracy := 80
		if k == 5 && n == 2 {
			accuracy = 100 // worth more than any cost
		} else if n == 1 {
			accuracy = 20
		}
		fmt.Fprintf(&text, "emnist,%d,%d,%d\n", k, n, accuracy)
	})
	var err error
	if a.Accuracies, err = ReadAccuracies([]byte(text.String()), "a.csv"); err != nil {
		t.Fatal(err)
	}
	c := a.chosen(emnist)
	if !c.decided || c.k != 5 && c.k != 1 || c.n == 1 {
		t.Errorf("chosen %+v", c)
	}
	if loss, ok := a.Accuracies.Of(emnist, 5, 2); !ok || loss.Low != -25 || !loss.Exact() {
		t.Errorf("loss %v %v; (80 - 100) / 80 is -25 %%", loss, ok)
	}
	if other := a.chosen(Tasks[2]); other.decided || other.k != 1 || other.n != 1 {
		t.Errorf("without accuracies the paper's choice stands: %+v", other)
	}
}

func TestUnknownFigure(t *testing.T) {
	_, err := New([]string{"8"}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), `no figure "8"; there are 6, 7, 9,`) {
		t.Error(err)
	}
}

// TestSmallMemoryGetsRanks: a point that does not fit is simulated all the same,
// and says with how many ranks more.
func TestSmallMemoryGetsRanks(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	small := *hw
	small.DRAM = small.DRAM.WithRanks(1)
	p := Tasks[3].point(100, 8)
	l := &Lab{Hardware: &small, Energy: energy.Default()}
	if err := l.measure(map[Point]bool{p: false}); err != nil {
		t.Fatal(err)
	}
	if got := l.at(p).Real.RanksAdded; got != 3 {
		t.Errorf("%d ranks added to 1 of 8 GiB for 31.7 GB", got)
	}
}

func TestNiceTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 1.14, "0.00 0.25 0.50 0.75 1.00"},
		{0, 54, "0 10 20 30 40 50"},
		{-8.4, 2.1, "−7.5 −5.0 −2.5 0.0"},
		{27.0, 28.85, "27.00 27.25 27.50 27.75 28.00 28.25 28.50 28.75"},
		{1, 1, ""},
	} {
		var labels []string
		for _, tick := range niceTicks(c.low, c.high) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%v..%v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}
