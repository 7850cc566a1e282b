using System.Diagnostics;
using System.Net;
using System.Text;
using Granary.Cluster.Storage;
using Granary.Support.Kafka;

namespace Granary.Cluster.Apis;

/// <summary>The tests that ask one silo, which none of them stops or slows down.</summary>
[CollectionDefinition(Name)]
public sealed class ApiCollection : ICollectionFixture<ApiFixture>
{
    public const string Name = "Kafka APIs";
}

/// <summary>The real program on free ports, with a database of its own on the tests' PostgreSQL.</summary>
public sealed class ApiFixture(PrivatePostgres postgres) : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly StringBuilder _printed = new();
    private readonly TaskCompletionSource<IPEndPoint> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _silo;

    public async ValueTask InitializeAsync()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var start = new ProcessStartInfo("dotnet", [typeof(Granary.Silo.Hosting.SiloSettings).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ConnectionStrings__Granary"] = database.ConnectionString,
                ["Granary__HttpUrl"] = "http://127.0.0.1:0",
                ["Granary__Kafka__Port"] = "0",
            },
        };
        _silo = new Process { StartInfo = start, EnableRaisingEvents = true };
        _silo.OutputDataReceived += (_, line) => Take(line.Data);
        _silo.ErrorDataReceived += (_, line) => Take(line.Data);
        _silo.Exited += (_, _) => _listening.TrySetException(new InvalidOperationException($"the silo ended: {Printed}"));
        _silo.Start();
        _silo.BeginOutputReadLine();
        _silo.BeginErrorReadLine();
        try
        {
            await _listening.Task.WaitAsync(s_patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"the silo did not listen within {s_patience}: {Printed}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is null)
            return;
        using (var stop = Process.Start("kill", ["-TERM", $"{_silo.Id}"]))
            await stop.WaitForExitAsync();
        try
        {
            await _silo.WaitForExitAsync().WaitAsync(s_patience);
        }
        finally
        {
            _silo.Kill(entireProcessTree: true);
            _silo.Dispose();
        }
    }

    internal async Task<KafkaWire> ConnectAsync(CancellationToken cancellation) =>
        await KafkaWire.ConnectAsync(await _listening.Task, cancellation);

    private string Printed
    {
        get
        {
            lock (_printed)
                return _printed.ToString();
        }
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        lock (_printed)
            _printed.AppendLine(line);
        if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["Kafka", var address] && IPEndPoint.TryParse(address, out var endPoint))
            _listening.TrySetResult(endPoint);
    }
}
