using System.Diagnostics;
using System.Globalization;
using Granary.Support;

namespace Granary.Bench;

/// <summary>
/// Who used the processors while something ran: this process (the client), the silos, and PostgreSQL (the postmaster's children). From
/// /proc, in cores; a figure that is bound by the processors shows it here.
/// </summary>
internal sealed class ProcessorShares
{
    /// <summary>Linux tells processor time in hundredths of a second (USER_HZ), whatever the kernel's own tick is.</summary>
    private const double TicksPerSecond = 100;

    private readonly IReadOnlyList<SiloProcess> _silos;
    private readonly string _dataFolder;
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly (double Client, double Silos, double Postgres) _before;

    /// <summary>Of a silo with a PostgreSQL of its own.</summary>
    public ProcessorShares(SiloProcess silo)
        : this([silo], silo.DataFolder)
    {
    }

    public ProcessorShares(ClusterProcess cluster)
        : this([.. Enumerable.Range(0, cluster.Count).Select(silo => cluster[silo])], cluster.Postgres.DataFolder)
    {
    }

    private ProcessorShares(IReadOnlyList<SiloProcess> silos, string dataFolder)
    {
        (_silos, _dataFolder) = (silos, dataFolder);
        _before = Read();
    }

    /// <summary>For example "0.61 / 0.80 / 0.45".</summary>
    public string SinceThen()
    {
        var (client, silos, postgres) = Read();
        var seconds = Stopwatch.GetElapsedTime(_began).TotalSeconds;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(client - _before.Client) / seconds:0.00} / {(silos - _before.Silos) / seconds:0.00} / {(postgres - _before.Postgres) / seconds:0.00}");
    }

    private (double Client, double Silos, double Postgres) Read()
    {
        var postmaster = int.Parse(File.ReadLines(Path.Combine(_dataFolder, "postgres", "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        double postgres = 0;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out var id) && StatOf(id) is { } stat && stat.Parent == postmaster)
                postgres += stat.Seconds;
        }

        return (StatOf(Environment.ProcessId)!.Value.Seconds, _silos.Sum(silo => StatOf(silo.ProcessId)!.Value.Seconds), postgres);
    }

    /// <summary>Null where the process has ended. Fields as proc_pid_stat(5) numbers them; the name in parentheses may hold blanks.</summary>
    private static (int Parent, double Seconds)? StatOf(int process)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{process}/stat");
            var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), ticks / TicksPerSecond);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
