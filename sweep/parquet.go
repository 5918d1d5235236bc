package sweep

import (
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// orderedGroup is a group of columns in the table's order, where
// [parquet.Group] would sort them by name.
type orderedGroup struct {
	parquet.Group
	order []string
}

// Fields implements [parquet.Node].
func (g orderedGroup) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	fields := make([]parquet.Field, len(g.order))
	for i, name := range g.order {
		fields[i] = byName[name]
	}
	return fields
}

// String implements [parquet.Node].
func (g orderedGroup) String() string { return g.Group.String() }

// rowsAtOnce is how many rows are handed to the Parquet writer in one call.
const rowsAtOnce = 256

// rowsInGroup is how many rows the writer keeps in memory before it writes them.
const rowsInGroup = 1 << 16

// WriteParquet writes the table with typed columns; what a row does not have
// is null.
func (t *Table) WriteParquet(w io.Writer) error {
	nodes := map[kind]parquet.Node{
		intKind: parquet.Int(64), floatKind: parquet.Leaf(parquet.DoubleType),
		boolKind: parquet.Leaf(parquet.BooleanType), textKind: parquet.String(),
	}
	kinds := t.kinds()
	group := orderedGroup{parquet.Group{}, t.Columns}
	for j, name := range t.Columns {
		group.Group[name] = parquet.Optional(nodes[kinds[j]])
	}
	out := parquet.NewWriter(w, parquet.NewSchema("sweep", group),
		parquet.CreatedBy("accelsim", "", ""), parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowsInGroup))
	var rows []parquet.Row
	var cells []string
	for i := range t.rows {
		cells = t.Row(i, cells)
		row := make(parquet.Row, len(cells))
		for j, cell := range cells {
			v, err := parquetValue(kinds[j], cell)
			if err != nil {
				return err
			}
			defined := 1
			if cell == "" {
				defined = 0
			}
			row[j] = v.Level(0, defined, j)
		}
		if rows = append(rows, row); len(rows) == rowsAtOnce || i == len(t.rows)-1 {
			if _, err := out.WriteRows(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	return out.Close()
}

func parquetValue(k kind, cell string) (parquet.Value, error) {
	if cell == "" {
		return parquet.NullValue(), nil
	}
	switch k {
	case intKind:
		v, err := strconv.ParseInt(cell, 10, 64)
		return parquet.Int64Value(v), err
	case floatKind:
		v, err := strconv.ParseFloat(cell, 64)
		return parquet.DoubleValue(v), err
	case boolKind:
		return parquet.BooleanValue(cell == "true"), nil
	}
	return parquet.ByteArrayValue([]byte(cell)), nil
}
