package pe

// Op is a kind of arithmetic operation, as energy tables know it.
type Op uint8

// The operations on values of the datapath's [Precision].
const (
	Add Op = iota // subtraction too
	Multiply
	MAC
	Compare
	numOps
)

// NumOps is the number of kinds of operation.
const NumOps = int(numOps)

// String returns the operation's name in energy tables and reports.
func (o Op) String() string { return [...]string{"add", "multiply", "mac", "compare"}[o] }

// Recipe is the operations that one element takes in a vector lane.
type Recipe [NumOps]int64
