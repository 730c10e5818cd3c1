# `make dist-shared`: the folder to upload to a shared host, and a .tar.gz of it.
shared = $(B)/dist/banter-shared

.PHONY: dist-shared
dist-shared: $(B)/banter.fcgi $(B)/banterctl
	$(q)deploy/shared-host/dist $(B) $(shared)
	$(q)tar -C $(dir $(shared)) --owner=0 --group=0 --sort=name -czf $(shared).tar.gz $(notdir $(shared))
	@echo "made $(shared) and $(shared).tar.gz"
