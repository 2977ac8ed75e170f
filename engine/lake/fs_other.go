//go:build !linux && !darwin

package lake

func exchange(a, b string) error { return errNoExchange }
