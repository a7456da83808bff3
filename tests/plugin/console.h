#ifndef TESTS_PLUGIN_CONSOLE_H_
#define TESTS_PLUGIN_CONSOLE_H_

// What gtest prints and writes, made fit to be compared.  Pure code.

#include <map>
#include <string>

namespace isolate::plugin_tests {

// With every time that gtest measured, "(12 ms", set to 0.
std::string WithoutTimes(const std::string& console);

// Without the lines in which gtest_main names its file; the plugin's main does not.
std::string WithoutMainsFile(const std::string& console);

// With every time and time stamp of an XML or a JSON report taken out.
std::string WithoutTimesInReport(const std::string& report);

// With every address, "0x55a7", set to 0x0.
std::string WithoutAddresses(const std::string& text);

// With every time that gtest streams, "elapsed_time=12ms", set to 0.
std::string WithoutTimesInStream(const std::string& stream);

struct Section {
  // What stands between a test's [ RUN ] line and its last line.
  std::string text;
  // "OK", "FAILED" or "SKIPPED"; empty if the last line is missing.
  std::string ending;
};

// The sections of a console, by "Suite.Test".
std::map<std::string, Section> Sections(const std::string& console);

// How often `part` stands in `text`.
int Count(const std::string& text, const std::string& part);

}  // namespace isolate::plugin_tests

#endif  // TESTS_PLUGIN_CONSOLE_H_
