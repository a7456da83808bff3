#ifndef TESTS_PLUGIN_SPECIMENS_INSTALL_H_
#define TESTS_PLUGIN_SPECIMENS_INSTALL_H_

// What a specimen with a main of its own calls after InitGoogleTest.  Linked
// with :install it installs the plugin, with :install_nothing it does nothing.
void Install(int* argc, char** argv);

#endif  // TESTS_PLUGIN_SPECIMENS_INSTALL_H_
