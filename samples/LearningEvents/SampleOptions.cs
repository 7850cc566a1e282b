namespace Granary.LearningEvents;

/// <summary>Set by configuration, for example <c>--Sample:Topic=lessons</c> or <c>Sample__Learners=5</c> in the environment.</summary>
internal sealed class SampleOptions
{
    /// <summary>The port of the silo's Orleans gateway on this machine, where no database is named.</summary>
    public int GatewayPort { get; set; } = 30000;

    public string ClusterId { get; set; } = "granary";

    /// <summary>The topic; created where it is not there yet.</summary>
    public string Topic { get; set; } = "learning-events";

    public int Partitions { get; set; } = 6;

    /// <summary>The consumer group that this service's processes share.</summary>
    public string Group { get; set; } = "learning-events-sample";

    public int Learners { get; set; } = 20;

    /// <summary>Events a second.</summary>
    public int EventsPerSecond { get; set; } = 5;
}
