using System.Runtime.InteropServices;
using Granary.Silo.Postgres;
using Npgsql;

namespace Granary.Support;

/// <summary>A PostgreSQL server of a test's own, for several silos: it can be killed (-9), restarted as an administrator does, and started again.</summary>
public sealed partial class PostgresProcess : IAsyncDisposable
{
    private const int Interrupt = 2;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(10);

    private readonly string _folder;
    private readonly EmbeddedPostgres _server;
    private readonly string? _tcp;

    private PostgresProcess(string folder, EmbeddedPostgres server, string? tcp)
    {
        _folder = folder;
        _server = server;
        _tcp = tcp;
    }

    /// <summary>How to connect.</summary>
    public string ConnectionString => _tcp ?? _server.ConnectionString;

    public int? ProcessId => _server.ProcessId;

    /// <summary>The folder that holds the server's own, `postgres`.</summary>
    public string DataFolder => _folder;

    /// <param name="address">An address to listen on besides the unix socket, for clients of the same /24 network; null: none.</param>
    public static async Task<PostgresProcess> StartAsync(string? address = null)
    {
        var folder = TestFolders.New();
        var server = await EmbeddedPostgres.StartAsync(folder);
        if (address is null)
            return new PostgresProcess(folder, server, null);
        var port = FreePorts.Next();
        await File.AppendAllTextAsync(Path.Combine(server.DataFolder, "postgresql.auto.conf"), $"listen_addresses = '{address}'\nport = {port}\n");
        await File.AppendAllTextAsync(Path.Combine(server.DataFolder, "pg_hba.conf"), $"host all all {address}/24 trust\n");
        var given = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Host = address, Port = port };
        var postgres = new PostgresProcess(folder, server, given.ConnectionString);
        await postgres.RestartAsync();
        return postgres;
    }

    /// <summary>Ends it as a crash would; its sessions end when they see it gone.</summary>
    public async Task KillAsync()
    {
        _server.Kill();
        await WaitUntilAsync(() => _server.ProcessId is null);
    }

    /// <summary>Starts it after <see cref="KillAsync"/>; takes up what sessions of the former one still hold up.</summary>
    public async Task StartAgainAsync()
    {
        using var deadline = new CancellationTokenSource(s_patience);
        while (true)
        {
            try
            {
                await _server.EnsureRunningAsync();
                return;
            }
            catch (PostgresStartException) when (!deadline.IsCancellationRequested)
            {
                await Task.Delay(s_step, CancellationToken.None);
            }
        }
    }

    /// <summary>A fast shutdown and a start, as an administrator restarts it. Returns when it takes connections.</summary>
    public async Task RestartAsync()
    {
        if (_server.ProcessId is { } id)
            _ = SendSignal(id, Interrupt);
        await WaitUntilAsync(() => _server.ProcessId is null);
        await StartAgainAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        TestFolders.Delete(_folder);
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(s_patience);
        while (!condition())
            await Task.Delay(s_step, deadline.Token);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int id, int signal);
}
