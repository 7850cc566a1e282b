namespace Granary.LearnerProgress;

/// <summary>Set by configuration, for example <c>--Sample:SiloPort=11131</c> or <c>Sample__SiloAddress=10.0.0.7</c> in the environment.</summary>
internal sealed class SampleOptions
{
    /// <summary>As the silos have it (<c>Granary:ClusterId</c>).</summary>
    public string ClusterId { get; set; } = "granary";

    /// <summary>Where the other silos reach this one: an address, or a name that has one.</summary>
    public string SiloAddress { get; set; } = "127.0.0.1";

    public int SiloPort { get; set; } = 11121;
}
