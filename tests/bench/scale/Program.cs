// SPDX-License-Identifier: MPL-2.0
using System.Globalization;
using DeepLake.Scale;

// Lakes of millions of files in an image file, and what a daemon needs that serves one. run.sh next to
// this file says what for.
switch (args)
{
    case ["make", string image, string files]:
        LakeMaker.Make(image, int.Parse(files, CultureInfo.InvariantCulture), isChecked: false);
        return 0;
    case ["make", string image, string files, "checked"]:
        LakeMaker.Make(image, int.Parse(files, CultureInfo.InvariantCulture), isChecked: true);
        return 0;
    case ["empty", string image, string gib]:
        LakeMaker.Format(image, long.Parse(gib, CultureInfo.InvariantCulture) << 30);
        return 0;
    case ["serve", string image, .. string[] work]:
        return ServedProcess.Run(image, mounts: true, work);
    case ["takeover", string image, .. string[] work]:
        return ServedProcess.Run(image, mounts: false, work);
    default:
        Console.Error.WriteLine(
            """
            Usage: DeepLake.ScaleBench make IMAGE FILES [checked]  checked: all was ingested
                   DeepLake.ScaleBench empty IMAGE GIB
                   DeepLake.ScaleBench serve IMAGE [WORK]...      with a mount of its own
                   DeepLake.ScaleBench takeover IMAGE [WORK]...   of a mount whose daemon has died
            WORK, one after the other:
              walk             every directory and inode, as the kernel asks for them
              lookups N        so many names here and there
              change N         so many changes all over the tree
              base             a base of the archive, as the ingest's thread writes one
              stop             the clean mark
              die KIND         kill -9 of itself under load, when a replay would be longest:
                               touch, create, change, few
            """);
        return 2;
}
