using System.Globalization;
using System.Net;

namespace Granary.KafkaClients.Connections;

/// <summary>What Linux tells of a process (proc(5)).</summary>
internal static class ProcessFacts
{
    public static bool AreHere => File.Exists("/proc/self/limits");

    /// <summary>File descriptors that this process, and one that it starts, may have open.</summary>
    public static int MaxOpenFiles()
    {
        const string Row = "Max open files";
        var limit = File.ReadLines("/proc/self/limits").First(line => line.StartsWith(Row, StringComparison.Ordinal))[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return int.TryParse(limit, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue;
    }

    public static int OpenFiles(int processId) => Directory.GetFileSystemEntries($"/proc/{processId}/fd").Length;

    /// <summary>Connections to a listener that its process has accepted and not yet closed: those with an inode. Its own row is not counted.</summary>
    public static int AcceptedConnections(IPEndPoint listener)
    {
        const int Local = 1, State = 3, Inode = 9;
        var port = $":{listener.Port:X4}";
        return File.ReadLines("/proc/net/tcp")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(cells => cells[Local].EndsWith(port, StringComparison.Ordinal) && cells[State] != "0A" && cells[Inode] != "0");
    }

    public static long ResidentBytes(int processId)
    {
        const string Row = "VmRSS:";
        var kilobytes = File.ReadLines($"/proc/{processId}/status").First(line => line.StartsWith(Row, StringComparison.Ordinal))[Row.Length..].Split(' ', '\t', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[0];
        return long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
    }
}
