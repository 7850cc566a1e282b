using System.Globalization;
using Npgsql;

namespace Granary.Support;

/// <summary>How a cluster of a test is started.</summary>
public sealed record ClusterProcessOptions
{
    public int Silos { get; init; } = 3;

    /// <summary>Where the silos' output goes, a file each; null: nowhere.</summary>
    public string? LogFolder { get; init; }

    /// <summary>Networks of their own for the silos; null: all on loopback.</summary>
    public SiloNetworks? Networks { get; init; }

    /// <summary>Further settings of all silos, as environment variables.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>A silo that ended though nobody asked it to.</summary>
/// <param name="Ago">How long ago.</param>
/// <param name="Report">What it said last.</param>
public sealed record UnaskedEnd(int Silo, int ExitCode, TimeSpan Ago, string Report);

/// <summary>
/// The real silo program several times over, on one PostgreSQL of their own. Each silo (from 0) keeps its name, ports and log file over its
/// deaths. Everything is done to processes by their ids.
/// </summary>
public sealed class ClusterProcess : IAsyncDisposable
{
    public const string ClusterId = "chaos";

    private const string NamePrefix = "silo-";

    private readonly ClusterProcessOptions _options;
    private readonly SiloProcess?[] _silos;
    private readonly (int Silo, int Gateway)[] _ports;

    private ClusterProcess(ClusterProcessOptions options, PostgresProcess postgres)
    {
        _options = options;
        Postgres = postgres;
        _silos = new SiloProcess?[options.Silos];
        _ports = [.. Enumerable.Range(0, options.Silos).Select(_ => (FreePorts.Next(), FreePorts.Next()))];
    }

    public PostgresProcess Postgres { get; }

    public int Count => _silos.Length;

    /// <summary>All silos' Kafka listeners, whether they run or not.</summary>
    public string KafkaBootstrap => string.Join(',', _silos.Where(silo => silo is not null).Select(silo => silo!.KafkaBootstrap));

    /// <summary>The first silo's port for Orleans clients.</summary>
    public int GatewayPort => _ports[0].Gateway;

    public SiloProcess this[int silo] => _silos[silo] ?? throw new InvalidOperationException($"silo {silo} was never started");

    /// <summary>Starts PostgreSQL and all silos.</summary>
    public static async Task<ClusterProcess> StartAsync(ClusterProcessOptions options)
    {
        var cluster = new ClusterProcess(options, await PostgresProcess.StartAsync(options.Networks?.OutsideAddress));
        try
        {
            // The first alone: what a start finds in an empty database is not what these tests are about.
            await cluster.StartAsync(0);
            await Task.WhenAll(Enumerable.Range(1, options.Silos - 1).Select(cluster.StartAsync));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a silo for the first time, or again after its end. Returns when it is ready.</summary>
    public async Task StartAsync(int silo)
    {
        if (_silos[silo] is { } known)
            await known.RestartAsync();
        else
            _silos[silo] = await SiloProcess.StartAsync(OptionsOf(silo));
    }

    /// <summary>Silos that ended though nobody asked them to.</summary>
    public IEnumerable<UnaskedEnd> UnaskedEnds() => Enumerable.Range(0, _silos.Length).Select(UnaskedEndOf).OfType<UnaskedEnd>();

    /// <summary>How that silo ended though nobody asked it to; null where it did not.</summary>
    public UnaskedEnd? UnaskedEndOf(int silo) => _silos[silo] is { UnaskedExitCode: { } code } ended
        ? new UnaskedEnd(silo, code, ended.SinceEnd, string.Create(CultureInfo.InvariantCulture, $"silo {silo} ended by itself with exit code {code}: {LastOf(ended)}"))
        : null;

    /// <summary>The silos that are members by PostgreSQL, each with its generation: another one is another run of it.</summary>
    public async Task<Dictionary<int, int>> MembersAsync(CancellationToken cancellation)
    {
        await using var source = NpgsqlDataSource.Create(Postgres.ConnectionString + ";Pooling=false");
        await using var command = source.CreateCommand("SELECT siloname, generation FROM granary.orleansmembershiptable WHERE deploymentid = $1 AND status = 3");
        command.Parameters.AddWithValue(ClusterId);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var members = new Dictionary<int, int>();
        while (await reader.ReadAsync(cancellation))
            members[int.Parse(reader.GetString(0).AsSpan(NamePrefix.Length), CultureInfo.InvariantCulture)] = reader.GetInt32(1);
        return members;
    }

    /// <summary>Kills what still runs: nobody needs it any more.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos.Where(silo => silo is { IsRunning: true }))
            silo!.Kill();
        await Task.WhenAll(_silos.Where(silo => silo is not null).Select(silo => silo!.DisposeAsync().AsTask()));
        await Postgres.DisposeAsync();
    }

    private SiloProcessOptions OptionsOf(int silo)
    {
        var address = _options.Networks?.AddressOf(silo) ?? "127.0.0.1";
        return new SiloProcessOptions
        {
            ConnectionString = Postgres.ConnectionString,
            Address = address,
            Launcher = _options.Networks?.LauncherOf(silo) ?? [],
            LogFile = _options.LogFolder is { } folder ? Path.Combine(folder, $"silo-{silo}.log") : null,
            Settings = new Dictionary<string, string>(_options.Settings)
            {
                ["Granary__ClusterId"] = ClusterId,
                ["Granary__SiloName"] = $"{NamePrefix}{silo}",
                ["Granary__SiloAddress"] = address,
                ["Granary__SiloPort"] = _ports[silo].Silo.ToString(CultureInfo.InvariantCulture),
                ["Granary__GatewayPort"] = _ports[silo].Gateway.ToString(CultureInfo.InvariantCulture),
            },
        };
    }

    private static string LastOf(SiloProcess silo) => string.Join(" | ", silo.Output.Split('\n').TakeLast(5));
}
