package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/units"
)

// Table is rows of text under a title; columns after the first are numbers and
// line up on the right, unless named in Left.
type Table struct {
	Title  string
	Header []string
	Rows   [][]string
	Left   []int // columns that hold words
	Notes  []string
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Write prints the table, its title above and its notes below. What a terminal
// would obey in them is escaped: some of it is from users' files.
func (t *Table) Write(w io.Writer) error {
	if t.Title != "" {
		if _, err := fmt.Fprintf(w, "%s\n", input.Printable(t.Title)); err != nil {
			return err
		}
	}
	align := make([]tw.Align, len(t.Header))
	for i := range align {
		align[i] = tw.AlignRight
	}
	align[0] = tw.AlignLeft
	for _, i := range t.Left {
		align[i] = tw.AlignLeft
	}
	table := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Symbols: tw.NewSymbols(tw.StyleLight),
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenRows: tw.Off, BetweenColumns: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.On, ShowTop: tw.Off, ShowBottom: tw.Off},
			},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
	)
	table.Header(printable(t.Header))
	for _, row := range t.Rows {
		if err := table.Append(printable(row)); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	for _, note := range t.Notes {
		if _, err := fmt.Fprintf(w, "  %s\n", input.Printable(note)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

func printable(cells []string) []string {
	safe := make([]string, len(cells))
	for i, cell := range cells {
		safe[i] = input.Printable(cell)
	}
	return safe
}

// Records returns the table as data: a list of rows, each by column.
func (t *Table) Records() []map[string]string {
	records := make([]map[string]string, 0, len(t.Rows))
	for _, row := range t.Rows {
		record := make(map[string]string, len(row))
		for i, cell := range row {
			record[t.Header[i]] = cell
		}
		records = append(records, record)
	}
	return records
}

// Integer prints an integer with its thousands apart.
func Integer[T ~int | ~int64](v T) string { return thousands(strconv.FormatInt(int64(v), 10)) }

// Total prints a total with its thousands apart.
func Total[T ~int64](v units.Total[T]) string { return thousands(v.String()) }

// thousands puts a comma after every three digits.
func thousands(digits string) string {
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Percent prints a percentage to two decimals, as the paper does.
func Percent(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) + " %" }

// scaled prints v with four significant digits and a decimal prefix.
func scaled(v float64, unit string) string {
	prefixes := []string{"p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E"}
	i := 4
	for ; math.Abs(v) >= 1000 && i+1 < len(prefixes); i++ {
		v /= 1000
	}
	for ; v != 0 && math.Abs(v) < 1 && i > 0; i-- {
		v *= 1000
	}
	return strconv.FormatFloat(v, 'g', 4, 64) + " " + prefixes[i] + unit
}

// Seconds prints a time, in days beyond two of them.
func Seconds(s float64) string {
	const day = 86400
	if s >= 2*day {
		return strconv.FormatFloat(s/day, 'f', 1, 64) + " days"
	}
	if s >= 1000 {
		return strconv.FormatFloat(s, 'f', 0, 64) + " s"
	}
	return scaled(s, "s")
}

// Joules prints an energy.
func Joules(e units.Picojoules) string { return scaled(e.Joules(), "J") }

// Bytes prints a size in decimal multiples.
func Bytes(b units.Bytes) string { return scaled(float64(b), "B") }

// Rate prints a data rate.
func Rate(bytesPerSecond float64) string { return scaled(bytesPerSecond, "B/s") }

// IsLeft tells whether a column holds words.
func (t *Table) IsLeft(column int) bool { return column == 0 || slices.Contains(t.Left, column) }

// Plain tells that the table has no header.
func (t *Table) Plain() bool {
	return !slices.ContainsFunc(t.Header, func(h string) bool { return h != "" })
}
