package accuracy

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Loss is AL of Eq. 18, (A_BPTT - A) / A_BPTT, in percent: exact where Low and
// High are equal, otherwise bounds. Negative is better than BPTT.
type Loss struct {
	Low, High float64
	Source    string
}

// Exact tells whether the loss is a number rather than bounds.
func (l Loss) Exact() bool { return l.Low == l.High }

func parseLoss(text string) (Loss, error) {
	low, high, bounds := strings.Cut(text, "..")
	if !bounds {
		high = low
	}
	l, err := decimal(low, 0)
	h, err2 := decimal(high, 0)
	if err != nil || err2 != nil || l > h || h > 100 {
		return Loss{}, fmt.Errorf("loss %q; write percent relative to BPTT, up to 100, such as -7.26, or bounds such as 0..1", text)
	}
	return Loss{Low: l, High: h}, nil
}

// percent reads an accuracy, times ten to the shift.
func percent(text string, shift int) (float64, error) {
	v, err := decimal(text, shift)
	if err == nil && (v < 0 || v > 100) {
		err = errors.New("is not between 0 and 100")
	}
	return v, err
}

// decimal reads a decimal number times a power of ten: the float nearest to
// it, so that 0.77 is 77 percent and not its neighbour.
func decimal(text string, shift int) (float64, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if strings.Trim(text, "0123456789+-.e") != "" {
		return 0, strconv.ErrSyntax // "inf", "nan", "0x1p-2"
	}
	digits, power, _ := strings.Cut(text, "e")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil {
			return 0, err
		}
	} else if strings.Contains(text, "e") {
		return 0, strconv.ErrSyntax
	}
	v, err := strconv.ParseFloat(digits+"e"+strconv.Itoa(exponent+shift), 64)
	if err == nil && math.IsInf(v, 0) {
		err = strconv.ErrRange
	}
	return v, err
}

// wholeNumbers are the inputs that count something.
var wholeNumbers = []string{"k", "n", "timesteps", "batch"}

// cell returns a cell as the inputs of a sweep are written: whole numbers
// without a point.
func cell(name, text string) (string, error) {
	if !slices.Contains(wholeNumbers, name) {
		return text, nil
	}
	v, err := decimal(text, 0)
	if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
		return "", fmt.Errorf("%s is %q, not a whole number", name, text)
	}
	return strconv.FormatInt(int64(v), 10), nil
}
