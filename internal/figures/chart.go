package figures

import (
	"bytes"
	"image/color"
	"io"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/accelsim-dev/accelsim/internal/elementary"
)

// Chart is one panel of a figure: lines over k, or groups of bars.
type Chart struct {
	Title  string
	X, Y   string // what the axes show, with units
	LogX   bool
	LogY   bool
	Ticks  []Tick // of the x axis, if it has numbers
	Zero   bool   // the y axis begins at 0
	Lines  []Line
	Groups []string // of bars, along the x axis
	Bars   []Bar
}

// Tick is a mark on an axis.
type Tick struct {
	At    float64
	Label string
}

// Line is values over k, or whatever the x axis shows.
type Line struct {
	Style Style
	X, Y  []float64
}

// Bar is one bar of a group.
type Bar struct {
	Style       Style
	Group, Slot int // which group, and which place in it
	Slots       int // places of a group
	Value       float64
	Low, High   float64 // bounds, drawn where they differ
	Label       string  // beyond the bar's end
	Absent      bool    // only the label is drawn
}

// Style is how a line or a bar looks. Colour never tells alone: lines differ in
// their marks, bars in their order and labels.
type Style struct {
	Color  color.NRGBA
	Mark   mark
	Dashed bool // and hollow marks
	Hollow bool // bars: only an outline
}

// Entry is a line of the legend.
type Entry struct {
	Name  string
	Style Style
	Bar   bool
}

// The palette of Okabe and Ito (2008), distinct to colour-blind readers.
var (
	black     = color.NRGBA{0x22, 0x22, 0x22, 0xff}
	blue      = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	vermilion = color.NRGBA{0xd5, 0x5e, 0x00, 0xff}
	green     = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	orange    = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}

	ink  = color.NRGBA{0x33, 0x33, 0x33, 0xff}
	grid = color.NRGBA{0xe3, 0xe3, 0xe3, 0xff}
)

// methodStyles are the looks of the local training methods.
var methodStyles = map[string]Style{
	"BP":   {Color: black, Mark: disc},
	"LBP4": {Color: green, Mark: diamond},
	"LBP2": {Color: blue, Mark: square},
	"LBP1": {Color: vermilion, Mark: triangle},
}

// Sizes of a figure that spans a page of print.
const (
	pageWidth   = 17.4 * vg.Centimeter
	panelHeight = 6.8 * vg.Centimeter
	margin      = 3 * vg.Millimeter
	dpi         = 220
)

func face(size vg.Length, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: ink, Font: f, Handler: plot.DefaultTextHandler}
}

// render draws the figure on a canvas of the size that [Figure.size] tells.
func (f *Figure) render(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)

	title := face(10, true)
	title.YAlign = draw.YTop
	c.FillText(title, vg.Point{X: c.Min.X, Y: c.Max.Y}, f.Title)
	c.Max.Y -= title.Height(f.Title) + 4

	c.Max.Y -= f.legend(&c, true)

	caption := f.captionStyle()
	lines := wrap(caption, f.Caption, c.Max.X-c.Min.X)
	lineHeight := caption.FontExtents().Height * 1.15
	y := c.Min.Y + lineHeight*vg.Length(len(lines))
	for i, line := range lines {
		c.FillText(caption, vg.Point{X: c.Min.X, Y: y - lineHeight*vg.Length(i)}, line)
	}
	c.Min.Y = y + 5

	rows := f.rows()
	plots := make([][]*plot.Plot, rows)
	for i := range f.Charts {
		row := i / f.columns()
		plots[row] = append(plots[row], f.Charts[i].plot())
	}
	for last := &plots[rows-1]; len(*last) < f.columns(); {
		*last = append(*last, nil)
	}
	tiles := draw.Tiles{Rows: rows, Cols: f.columns(), PadX: 6 * vg.Millimeter, PadY: 4 * vg.Millimeter}
	heading := face(8.5, true)
	heading.XAlign = draw.XCenter
	if f.Charts[0].Title != "" { // above the panels, all at one height
		tiles.PadTop = heading.Height("A") + 4
		tiles.PadY += tiles.PadTop
	}
	for r, row := range plot.Align(plots, tiles, c) {
		for i, canvas := range row {
			if plots[r][i] == nil {
				continue
			}
			plots[r][i].Draw(canvas)
			data := plots[r][i].DataCanvas(canvas)
			c.FillText(heading, vg.Point{X: data.Center().X, Y: data.Max.Y + 6}, f.Charts[r*f.columns()+i].Title)
		}
	}
}

func (f *Figure) captionStyle() text.Style {
	s := face(7.5, false)
	s.YAlign = draw.YTop
	return s
}

func (f *Figure) columns() int { return min(len(f.Charts), 2) }

func (f *Figure) rows() int { return (len(f.Charts) + 1) / 2 }

// size is the page width, and as high as title, legend, panels and caption take.
func (f *Figure) size() (w, h vg.Length) {
	caption := f.captionStyle()
	lines := len(wrap(caption, f.Caption, pageWidth-2*margin))
	c := draw.Canvas{Rectangle: vg.Rectangle{Max: vg.Point{X: pageWidth - 2*margin, Y: panelHeight}}}
	h = 2*margin + face(10, true).Height(f.Title) + 4 + f.legend(&c, false)
	h += vg.Length(lines)*caption.FontExtents().Height*1.15 + 5
	return pageWidth, h + vg.Length(f.rows())*panelHeight
}

// legend draws the legend's entries in rows along the top of c and returns the
// height that they take.
func (f *Figure) legend(c *draw.Canvas, visible bool) vg.Length {
	if len(f.Legend) == 0 {
		return 0
	}
	const thumb, gap, between = 22, 4, 14
	style := face(8, false)
	style.YAlign = draw.YCenter
	rowHeight := style.FontExtents().Height * 1.35
	x, y := c.Min.X, c.Max.Y-rowHeight/2
	for _, e := range f.Legend {
		width := thumb + gap + style.Width(e.Name)
		if x > c.Min.X && x+width > c.Max.X {
			x, y = c.Min.X, y-rowHeight
		}
		if visible {
			e.thumbnail(c, x, x+thumb, y)
			c.FillText(style, vg.Point{X: x + thumb + gap, Y: y}, e.Name)
		}
		x += width + between
	}
	return c.Max.Y - y + rowHeight/2 + 4
}

func (e Entry) thumbnail(c *draw.Canvas, left, right, y vg.Length) {
	if e.Bar {
		box := []vg.Point{{X: left + 5, Y: y - 3.5}, {X: right, Y: y - 3.5}, {X: right, Y: y + 3.5}, {X: left + 5, Y: y + 3.5}}
		e.Style.fill(c, box)
		return
	}
	c.StrokeLine2(e.Style.line(), left, y, right, y)
	c.DrawGlyph(e.Style.glyph(), vg.Point{X: (left + right) / 2, Y: y})
}

func (s Style) line() draw.LineStyle {
	l := draw.LineStyle{Color: s.Color, Width: 1.2}
	if s.Dashed {
		l.Dashes = []vg.Length{4, 2.5}
	}
	return l
}

func (s Style) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: s.Color, Radius: 2.8, Shape: marker{s.Mark, s.Dashed}}
}

// fill draws a closed area in the style of a bar.
func (s Style) fill(c *draw.Canvas, area []vg.Point) {
	inside := s.Color
	if s.Hollow {
		inside = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	}
	c.FillPolygon(inside, area)
	outline := draw.LineStyle{Color: s.Color, Width: 0.8}
	if s.Hollow {
		outline.Dashes = []vg.Length{2.5, 1.5}
	}
	c.StrokeLines(outline, append(append([]vg.Point(nil), area...), area[0]))
}

// mark is the shape of a line's marks.
type mark int

const (
	disc mark = iota
	square
	triangle
	diamond
)

// marker draws a mark, filled or hollow.
type marker struct {
	mark   mark
	hollow bool
}

// DrawGlyph implements draw.GlyphDrawer.
func (m marker) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	var p vg.Path
	around := func(corners int, turn, radius float64) {
		for i := range corners {
			a := turn + 2*math.Pi*float64(i)/float64(corners)
			q := vg.Point{X: at.X + s.Radius*vg.Length(radius*math.Cos(a)), Y: at.Y + s.Radius*vg.Length(radius*math.Sin(a))}
			if i == 0 {
				p.Move(q)
			} else {
				p.Line(q)
			}
		}
	}
	switch m.mark {
	case disc:
		p.Move(vg.Point{X: at.X + s.Radius, Y: at.Y})
		p.Arc(at, s.Radius, 0, 2*math.Pi)
	case square:
		around(4, math.Pi/4, 1.25)
	case triangle:
		around(3, math.Pi/2, 1.35)
	case diamond:
		around(4, 0, 1.35)
	}
	p.Close()
	if !m.hollow {
		c.SetColor(s.Color)
		c.Fill(p)
	}
	c.SetLineStyle(draw.LineStyle{Color: s.Color, Width: 1})
	c.Stroke(p)
}

// plot makes a panel.
func (ch *Chart) plot() *plot.Plot {
	p := plot.New()
	for _, a := range []struct {
		axis  *plot.Axis
		label string
	}{{&p.X, ch.X}, {&p.Y, ch.Y}} {
		upright := a.axis.Tick.Label // keeps its alignment
		a.axis.Label.Text = a.label
		style := face(8, false)
		style.XAlign, style.YAlign = a.axis.Label.TextStyle.XAlign, a.axis.Label.TextStyle.YAlign
		style.Rotation = a.axis.Label.TextStyle.Rotation
		a.axis.Label.TextStyle, a.axis.Label.Padding = style, 3
		style = face(7.5, false)
		style.XAlign, style.YAlign = upright.XAlign, upright.YAlign
		a.axis.Tick.Label = style
		a.axis.LineStyle = draw.LineStyle{Color: ink, Width: 0.6}
		a.axis.Tick.LineStyle = draw.LineStyle{Color: ink, Width: 0.6}
		a.axis.Tick.Length = 3
		a.axis.Padding = 3
	}
	p.Y.Tick.Marker = plot.TickerFunc(niceTicks)
	if len(ch.Bars) > 0 {
		p.Add(ch)
		p.NominalX(ch.Groups...)
		p.X.Padding, p.Y.Padding = 0, 0
		p.X.Width = 0.6
		p.X.Tick.Length, p.X.Tick.LineStyle = 3, draw.LineStyle{Width: 0.1, Color: color.White}
		p.X.Min, p.X.Max = -0.5, float64(len(ch.Groups))-0.5
		p.X.Label.Text = ch.X
		return p
	}
	if ch.LogX {
		p.X.Scale = plot.LogScale{}
	}
	if ch.LogY {
		p.Y.Scale = plot.LogScale{}
		p.Y.Tick.Marker = plot.TickerFunc(logTicks)
	}
	var ticks plot.ConstantTicks
	for _, k := range ch.Ticks {
		ticks = append(ticks, plot.Tick{Value: k.At, Label: k.Label})
	}
	p.X.Tick.Marker = ticks
	p.Add(ch)
	return p
}

// niceTicks are multiples of 1, 2, 2.5 or 5 times a power of ten, four or more.
func niceTicks(low, high float64) []plot.Tick {
	if high <= low {
		return nil
	}
	step, decimals := 0.0, 0
	power := elementary.Decade((high - low) / 4)
	for _, m := range []struct {
		factor float64
		extra  int // decimals beyond the power's
	}{{1, 0}, {2, 0}, {2.5, 1}, {5, 0}} {
		if s := m.factor * math.Pow10(power); (high-low)/s >= 4 {
			step, decimals = s, max(0, m.extra-power)
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high*(1+1e-12); i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: minus(fixed(i*step, decimals))})
	}
	return ticks
}

// logTicks are multiples of 1, 2 or 5 times a power of ten.
func logTicks(low, high float64) (ticks []plot.Tick) {
	for power := elementary.Decade(low); power <= elementary.Decade(high); power++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow10(power); v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: fixed(v, max(0, -power))})
			}
		}
	}
	return ticks
}

// DataRange implements plot.DataRanger.
func (ch *Chart) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, ymin = math.Inf(1), math.Inf(1)
	xmax, ymax = math.Inf(-1), math.Inf(-1)
	for _, l := range ch.Lines {
		for i := range l.X {
			xmin, xmax = min(xmin, l.X[i]), max(xmax, l.X[i])
			ymin, ymax = min(ymin, l.Y[i]), max(ymax, l.Y[i])
		}
	}
	for _, b := range ch.Bars {
		if b.Absent {
			continue
		}
		ymin, ymax = min(ymin, b.Value, b.Low), max(ymax, b.Value, b.High)
	}
	if ch.Zero || len(ch.Bars) > 0 {
		ymin, ymax = min(ymin, 0), max(ymax, 0)
	}
	if math.IsInf(ymin, 1) {
		ymin, ymax = 0, 1
	}
	if ch.LogY { // some room on either side
		return xmin, xmax, ymin / 1.15, ymax * 1.15
	}
	room := (ymax - ymin) * 0.06
	if len(ch.Bars) > 0 { // for labels
		room = (ymax - ymin) * 0.14
		if ymin < 0 {
			ymin -= room
		}
	} else if !ch.Zero {
		ymin -= room
	}
	return xmin, xmax, ymin, ymax + room
}

// Plot implements plot.Plotter.
func (ch *Chart) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(t.Value); c.ContainsY(at) {
			c.StrokeLine2(draw.LineStyle{Color: grid, Width: 0.5}, c.Min.X, at, c.Max.X, at)
		}
	}
	for _, l := range ch.Lines {
		points := make([]vg.Point, len(l.X))
		for i := range points {
			points[i] = vg.Point{X: x(l.X[i]), Y: y(l.Y[i])}
		}
		c.StrokeLines(l.Style.line(), points)
		for _, point := range points {
			c.DrawGlyphNoClip(l.Style.glyph(), point)
		}
	}
	for _, b := range ch.Bars {
		b.draw(&c, x, y)
	}
	if len(ch.Bars) > 0 {
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.6}, c.Min.X, y(0), c.Max.X, y(0))
	}
}

// groupWidth is the part of a group's place that its bars fill.
const groupWidth = 0.84

func (b Bar) draw(c *draw.Canvas, x, y func(float64) vg.Length) {
	width := groupWidth / float64(b.Slots)
	left := float64(b.Group) - groupWidth/2 + width*float64(b.Slot)
	l, r := x(left+0.06*width), x(left+0.94*width)
	middle := (l + r) / 2
	style := face(7, false)
	style.XAlign = draw.XCenter
	if b.Absent {
		style.YAlign = draw.YBottom
		c.FillText(style, vg.Point{X: middle, Y: y(0) + 2}, b.Label)
		return
	}
	b.Style.fill(c, []vg.Point{{X: l, Y: y(0)}, {X: r, Y: y(0)}, {X: r, Y: y(b.Value)}, {X: l, Y: y(b.Value)}})
	end, low := max(b.Value, 0), min(b.Value, 0)
	if b.Low != b.High {
		whisker := draw.LineStyle{Color: ink, Width: 1}
		c.StrokeLine2(whisker, middle, y(b.Low), middle, y(b.High))
		for _, v := range []float64{b.Low, b.High} {
			c.StrokeLine2(whisker, middle-3, y(v), middle+3, y(v))
		}
		end, low = max(end, b.High), min(low, b.Low)
	}
	if b.Value < 0 {
		style.YAlign = draw.YTop
		c.FillText(style, vg.Point{X: middle, Y: y(low) - 2}, b.Label)
		return
	}
	style.YAlign = draw.YBottom
	c.FillText(style, vg.Point{X: middle, Y: y(end) + 2}, b.Label)
}

// wrap breaks text into lines that fit.
func wrap(style text.Style, s string, width vg.Length) []string {
	var lines []string
	for _, paragraph := range strings.Split(s, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			longer := strings.TrimSpace(line + " " + word)
			if line != "" && style.Width(longer) > width {
				lines = append(lines, line)
				longer = word
			}
			line = longer
		}
		lines = append(lines, line)
	}
	return lines
}

// PNG draws the figure as an image.
func (f *Figure) PNG() ([]byte, error) {
	w, h := f.size()
	c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi))
	f.render(draw.New(c))
	return written(vgimg.PngCanvas{Canvas: c})
}

// SVG draws the figure as vector graphics.
func (f *Figure) SVG() ([]byte, error) {
	w, h := f.size()
	c := vgsvg.New(w, h)
	f.render(draw.New(c))
	data, err := written(c)
	// The fonts that gonum measured with, or what other systems have instead.
	return bytes.ReplaceAll(data, []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), err
}

func written(w io.WriterTo) ([]byte, error) {
	var b bytes.Buffer
	_, err := w.WriteTo(&b)
	return b.Bytes(), err
}
