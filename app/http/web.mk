# The widget's files, of app/web: as they are served and installed they lie in $(web), a folder, and $(web).c is made of
# them. Included by the Makefile and by tests/fuzz/fuzz.mk, which set that and compile the file.
web_files := $(sort $(wildcard app/web/*.js app/web/*.css))
words_web = $(web_files)

$(web)/banter.js: app/http/web-files $(web_files) $(web).stamp
	$(call say,GEN,$(web))
	$(q)app/http/web-files $(web) $(web_files)

$(web).c: app/http/embed-web $(web)/banter.js
	$(call say,GEN,$@)
	$(q)app/http/embed-web $(web) >$@
