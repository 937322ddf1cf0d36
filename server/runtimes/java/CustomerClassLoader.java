package com.amazonaws.services.lambda.runtime.api.client;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;

/** Loads the function's classes from openray's class path, in place of `/var/task` and `/opt/java`. */
class CustomerClassLoader extends URLClassLoader {
    CustomerClassLoader(String taskRoot, String layerRoot, ClassLoader parent) throws IOException {
        super(urls(System.getProperty("openray.class.path", taskRoot)), parent);
    }

    private static URL[] urls(String classPath) throws IOException {
        String[] paths = classPath.split(File.pathSeparator);
        URL[] urls = new URL[paths.length];
        for (int i = 0; i < paths.length; i++) urls[i] = new File(paths[i]).toURI().toURL();
        return urls;
    }
}
