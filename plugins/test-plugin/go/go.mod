module anyplug.dev/test-plugin

go 1.22
