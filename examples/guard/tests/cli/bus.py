# SPDX-License-Identifier: MIT OR Apache-2.0
"""Services on a system bus of its own: logind as python-dbusmock's template has it, with the one method more that finds a session by a process, and a
GeoClue that knows where it is.

usage: bus.py CALLS (a file that gets a line for each call)
"""
import sys

import dbus
import dbus.mainloop.glib
from dbusmock.mockobject import DBusMockObject, objects
from gi.repository import GLib

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()


def service(name, path, interface, properties):
    owned = dbus.service.BusName(name, bus, do_not_queue=True)
    objects[path] = DBusMockObject(owned, path, interface, properties, sys.argv[1])
    return objects[path]


manager = "org.freedesktop.login1.Manager"
logind = service("org.freedesktop.login1", "/org/freedesktop/login1", manager, {})
logind.AddTemplate("logind", {})
logind.AddSession("c1", "seat0", 1000, "joe", True)
logind.AddMethod(manager, "GetSessionByPID", "u", "o", 'ret = "/org/freedesktop/login1/session/c1"')

geoclue, root = "org.freedesktop.GeoClue2", "/org/freedesktop/GeoClue2"
manager = service(geoclue, f"{root}/Manager", f"{geoclue}.Manager", {})
manager.AddMethod(f"{geoclue}.Manager", "GetClient", "", "o", f'ret = "{root}/Client/1"')
# It knows nothing until it was started by somebody who has said his name.
unknown = {"DesktopId": "", "Location": dbus.ObjectPath("/")}
client = service(geoclue, f"{root}/Client/1", f"{geoclue}.Client", unknown)
found = f'if self.props["{geoclue}.Client"]["DesktopId"]: self.props["{geoclue}.Client"]["Location"] = dbus.ObjectPath("{root}/Location/1")'
client.AddMethods(f"{geoclue}.Client", [("Start", "", "", found), ("Stop", "", "", "")])
service(geoclue, f"{root}/Location/1", f"{geoclue}.Location", {"Latitude": 51.5, "Longitude": -0.125, "Accuracy": 25.0})

print("ready", flush=True)
GLib.MainLoop().run()
