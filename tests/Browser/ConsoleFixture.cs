using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Support;
using Microsoft.Playwright;

namespace Granary.Browser;

/// <summary>One cluster and one browser for all tests, one test at a time: one of them kills a silo.</summary>
[CollectionDefinition(Name)]
public sealed class ConsoleTests : ICollectionFixture<ConsoleFixture>
{
    public const string Name = "console";
}

/// <summary>Three real silos, and a browser. Screenshots lie in `screenshots` beside the test program.</summary>
public sealed class ConsoleFixture : IAsyncLifetime
{
    private static readonly string s_screenshots = Path.Combine(AppContext.BaseDirectory, "screenshots");

    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private ClusterProcess? _cluster;
    private IProducer<Null, string>? _producer;
    private ConsolePage? _modules;

    /// <summary>The cluster, in which no silo has ended unless a test asked it to.</summary>
    public ClusterProcess Cluster
    {
        get
        {
            var cluster = _cluster ?? throw new InvalidOperationException("there is no cluster: the test should have been skipped");
            // A drain that was asked for in the console ends with 0.
            return Enumerable.Range(0, cluster.Count).Any(silo => cluster[silo].UnaskedExitCode is not (null or 0))
                ? throw new InvalidOperationException(string.Join('\n', cluster.UnaskedEnds().Select(end => end.Report)))
                : cluster;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (Chromium.Missing is not null)
            return;
        Directory.CreateDirectory(s_screenshots);
        Assertions.SetDefaultExpectTimeout(ConsolePage.PatienceMs);
        var cluster = ClusterProcess.StartAsync(new ClusterProcessOptions
        {
            LogFolder = s_screenshots,
            // A group of these tests is whole with its first member.
            Settings = new Dictionary<string, string> { ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00" },
        });
        _playwright = await Playwright.CreateAsync();
        _browser = await Chromium.StartAsync(_playwright);
        _cluster = await cluster;
    }

    /// <summary>A new page of a new browser profile, which notes every error that its console shows.</summary>
    /// <param name="script">Runs in the page before its own.</param>
    public async Task<ConsolePage> OpenAsync(int silo, string hash = "", ConsoleLook? look = null, string? script = null)
    {
        Assert.SkipWhen(Chromium.Missing is not null, Chromium.Missing ?? "");
        look ??= new ConsoleLook();
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = look.Width, Height = look.Height },
            ColorScheme = look.Dark ? ColorScheme.Dark : ColorScheme.Light,
        });
        if (script is not null)
            await context.AddInitScriptAsync(script);
        var page = new ConsolePage(context, await context.NewPageAsync(), s_screenshots);
        await page.GoAsync($"{Cluster[silo].HttpUrl}/{hash}");
        return page;
    }

    /// <summary>A page for the console's modules alone, the same for all who ask: nothing is to be done in it that lasts.</summary>
    public async Task<IPage> ModulesAsync() => (_modules ??= await OpenAsync(silo: 0, "#/modules")).Page;

    /// <summary>A topic with a record in each partition; where it exists, nothing is done.</summary>
    public async Task CreateTopicAsync(string name, int partitions)
    {
        Assert.SkipWhen(Chromium.Missing is not null, Chromium.Missing ?? "");
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Cluster[0].KafkaBootstrap }).Build();
        try
        {
            await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = partitions, ReplicationFactor = 1 }]);
        }
        catch (CreateTopicsException exists) when (exists.Results.All(result => result.Error.Code == ErrorCode.TopicAlreadyExists))
        {
            return;
        }

        await Task.WhenAll(Enumerable.Range(0, partitions).Select(partition => ProduceAsync(name, $$"""{"opened":{{partition}}}""", partition)));
    }

    public async Task ProduceAsync(string topic, string value, int partition = 0)
    {
        _producer ??= new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = Cluster[0].KafkaBootstrap }).Build();
        await _producer.ProduceAsync(new TopicPartition(topic, partition), new Message<Null, string> { Value = value });
    }

    public async ValueTask DisposeAsync()
    {
        _producer?.Dispose();
        if (_modules is not null)
            await _modules.DisposeAsync();
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}

/// <summary>Whose eyes look at the page.</summary>
public sealed record ConsoleLook(int Width = 1280, int Height = 860, bool Dark = false);
