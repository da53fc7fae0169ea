package warehousetest

import "errors"

var errRenewed = errors.New("the stream was made anew")
